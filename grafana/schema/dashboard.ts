// A classic dashboard whose panels are of the types used here, with the options and field settings that each type has.
import type { AnnotationQuery, Dashboard, FieldConfigSource, Panel, RowPanel } from '@grafana/schema';
import type * as bargauge from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as statetimeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as statushistory from '@grafana/schema/dist/esm/raw/composable/statushistory/panelcfg/x/StatusHistoryPanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type { TableFieldOptions } from '@grafana/schema';

type Drawn<Type extends string, Options, Custom> = Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
  type: Type;
  options: Partial<Options>;
  fieldConfig: FieldConfigSource<Partial<Custom>>;
  targets: Query[];
};

// Of Grafana's Prometheus data source; its types are not published in this package.
interface Query {
  refId: string;
  expr: string;
  datasource: { type: 'prometheus'; uid: string };
  instant?: boolean;
  range?: boolean;
  format?: 'time_series' | 'table' | 'heatmap';
  legendFormat?: string;
}

type AnyPanel =
  | Drawn<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | Drawn<'stat', stat.Options, {}>
  | Drawn<'bargauge', bargauge.Options, {}>
  | Drawn<'status-history', statushistory.Options, statushistory.FieldConfig>
  | Drawn<'state-timeline', statetimeline.Options, statetimeline.FieldConfig>
  | Drawn<'table', table.Options, TableFieldOptions>;

interface PrometheusAnnotation extends AnnotationQuery {
  expr: string;
  step: string;
  titleFormat: string;
  textFormat: string;
  tagKeys: string;
  useValueForTime: boolean;
}

export interface ClassicDashboard extends Omit<Dashboard, 'panels' | 'annotations'> {
  panels: Array<AnyPanel | (Omit<RowPanel, 'panels'> & { panels: AnyPanel[] })>;
  annotations: { list: PrometheusAnnotation[] };
}
