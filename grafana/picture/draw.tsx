// The panels of board.json in Grafana's dark theme. Lines, numbers and bars are Grafana's own components; the heatmap,
// the timeline and the table, which are part of its application and not of its library, are drawn here in its colours.
import { createRoot } from 'react-dom/client';
import { createTheme, dateTime, FieldType, getDisplayProcessor, ThresholdsMode } from '@grafana/data';
import { BarGauge, BigValue, GlobalStyles, ThemeContext, TimeSeries } from '@grafana/ui';
import board from './board.json';

const theme = createTheme({ colors: { mode: 'dark' } });
const WIDTH = 1500;
const COLUMN = (WIDTH - 8) / 24;
const ROW = 38;
const GAP = 8;
const PLAIN = {
  drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, gradientMode: 'none', showPoints: 'never',
  pointSize: 5, spanNulls: false, axisPlacement: 'auto', axisLabel: '', scaleDistribution: { type: 'linear' },
  hideFrom: { legend: false, tooltip: false, viz: false }, stacking: { mode: 'none', group: 'A' }, axisBorderShow: false,
  thresholdsStyle: { mode: 'off' }, barAlignment: 0, axisCenteredZero: false, axisColorMode: 'text', insertNulls: false,
};

function fits(matcher: any, name: string): boolean {
  if (matcher.id === 'byName') {
    return matcher.options === name;
  }
  return matcher.id === 'byRegexp' && new RegExp(matcher.options.slice(1, -1)).test(name);
}

function config(panel: any, name: string): any {
  const { defaults, overrides } = panel.fieldConfig;
  const made: any = { color: { mode: 'palette-classic' }, ...defaults, custom: { ...PLAIN, ...(defaults.custom ?? {}) } };
  made.thresholds = defaults.thresholds ?? { mode: ThresholdsMode.Absolute, steps: [{ value: -Infinity, color: 'green' }] };
  made.thresholds = { ...made.thresholds, steps: made.thresholds.steps.map((s: any) => ({ ...s, value: s.value ?? -Infinity })) };
  for (const override of overrides ?? []) {
    if (fits(override.matcher, name)) {
      for (const { id, value } of override.properties) {
        const custom = id.startsWith('custom.');
        (custom ? made.custom : made)[custom ? id.slice(7) : id] = value;
      }
    }
  }
  return { ...made, displayName: name };
}

function frames(panel: any): any[] {
  return panel.series.map((series: any, index: number) => {
    const field: any = { name: 'Value', type: FieldType.number, labels: series.labels, config: config(panel, series.name) };
    field.values = series.values.map(([, value]: any) => (value === 'NaN' ? null : Number(value)));
    field.state = { seriesIndex: index, displayName: series.name };
    if (panel.type !== 'timeseries') {
      field.config.color = { mode: 'thresholds' };
    }
    field.display = getDisplayProcessor({ field, theme });
    const time: any = { name: 'Time', type: FieldType.time, config: {}, values: series.values.map(([t]: any) => t * 1000) };
    time.display = getDisplayProcessor({ field: time, theme });
    return { refId: series.ref, name: series.name, length: field.values.length, fields: [time, field] };
  });
}

const range = { from: dateTime(board.from * 1000), to: dateTime(board.to * 1000), raw: { from: 'now-1h', to: 'now' } };

function colour(panel: any, value: number): string {
  const mapped = panel.fieldConfig.defaults.mappings?.[0]?.options?.[String(value)]?.color;
  const steps = panel.fieldConfig.defaults.thresholds.steps.filter((step: any) => (step.value ?? -Infinity) <= value);
  return theme.visualization.getColorByName(mapped ?? steps[steps.length - 1].color);
}

/** One row a series, one column a time. */
function Grid({ panel, width, height }: any) {
  const label = 230;
  const step = (width - label) / 96;
  const seconds = (board.to - board.from) / 96;
  const rows = [...panel.series].sort((a: any, b: any) => a.name.localeCompare(b.name));
  const tall = Math.min(48, height / Math.max(1, rows.length));
  return (
    <svg width={width} height={height} style={{ fontSize: 11, fontFamily: theme.typography.fontFamily }}>
      {rows.map((series: any, row: number) => (
        <g key={row} transform={`translate(0 ${row * tall})`}>
          <text x={label - 8} y={tall / 2 + 4} textAnchor="end" fill={theme.colors.text.primary}>{series.name}</text>
          {Array.from({ length: 96 }, (_, column) => {
            const until = board.from + (column + 1) * seconds;
            const seen = series.values.filter(([t]: any) => t <= until && t > until - seconds - 1);
            const value = seen.length ? Number(seen[seen.length - 1][1]) : NaN;
            return Number.isNaN(value) ? null : (
              <rect key={column} x={label + column * step} y={1} width={step + 0.3} height={tall - 2} fill={colour(panel, value)} />
            );
          })}
        </g>
      ))}
    </svg>
  );
}

function Lines({ panel, width, height }: any) {
  const legend: any = { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] };
  const props: any = { width, height, frames: frames(panel), timeRange: range, timeZone: 'utc', legend };
  return <TimeSeries {...props} />;
}

function Number_({ panel, width, height }: any) {
  const [frame] = frames(panel);
  const field = frame.fields[1];
  const value = field.display(field.values[field.values.length - 1]);
  const spark = panel.options.graphMode === 'area' ? { x: frame.fields[0], y: field } : undefined;
  const props: any = { value, sparkline: spark, width, height, theme, colorMode: 'value', graphMode: panel.options.graphMode };
  return <BigValue {...props} justifyMode="auto" textMode="value" />;
}

function Bars({ panel, width, height }: any) {
  const made = frames(panel);
  const most = Math.max(...made.map((frame) => frame.fields[1].values[0]));
  return (
    <div>
      {made.map((frame, index) => {
        const field = { ...frame.fields[1].config, min: 0, max: most };
        const display = frame.fields[1].display;
        const props: any = { value: { ...display(frame.fields[1].values[0]), title: frame.name }, field, display, theme };
        return (
          <div key={index} style={{ marginBottom: 4 }}>
            <BarGauge {...props} width={width} height={height / made.length - 4} orientation="horizontal" displayMode="basic"
              showUnfilled valueDisplayMode="color" namePlacement="left" itemSpacing={8} lcdCellWidth={12} />
          </div>
        );
      })}
    </div>
  );
}

function Table_({ panel }: any) {
  const names: any = panel.transformations[1].options.renameByName;
  const columns: string[] = [...new Set<string>(panel.series.map((series: any) => series.ref))];
  const features: string[] = [...new Set<string>(panel.series.map((series: any) => series.labels.feature))].sort();
  const of = (feature: string, ref: string) => panel.series.find((s: any) => s.ref === ref && s.labels.feature === feature);
  return (
    <table style={{ width: '100%', fontSize: 12, borderSpacing: 0 }}>
      <tbody>
        <tr>{['Feature', ...columns.map((ref) => names[`Value #${ref}`])].map((name) => <th key={name} style={{ textAlign: 'left', color: theme.colors.primary.text }}>{name}</th>)}</tr>
        {features.slice(0, 12).map((feature) => (
          <tr key={feature}>
            <td>{feature}</td>
            {columns.map((ref) => {
              const value = of(feature, ref)?.values[0][1];
              return <td key={ref} style={{ color: value === undefined ? undefined : colour(panel, Number(value)) }}>{value === undefined ? '' : `${(Number(value) * 100).toFixed(1)}%`}</td>;
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const DRAWN: any = { timeseries: Lines, stat: Number_, bargauge: Bars, 'status-history': Grid, 'state-timeline': Grid, table: Table_ };

function Panel({ panel }: any) {
  const place = panel.gridPos;
  const [left, top] = [place.x * COLUMN + GAP, place.y * ROW + GAP + 40];
  const [width, height] = [place.w * COLUMN - GAP, place.h * ROW - GAP];
  if (panel.type === 'row') {
    return <div style={{ position: 'absolute', left, top: top + 6, fontSize: 15, fontWeight: 500 }}>{panel.title}</div>;
  }
  const Drawn = DRAWN[panel.type];
  const box: any = { position: 'absolute', left, top, width, height, background: theme.colors.background.primary, overflow: 'hidden' };
  return (
    <div style={{ ...box, border: `1px solid ${theme.colors.border.weak}`, borderRadius: 2 }}>
      <div style={{ padding: '6px 8px', fontSize: 13, fontWeight: 500 }}>{panel.title}</div>
      <div style={{ padding: '0 8px' }}>
        {panel.series.length ? <Drawn panel={panel} width={width - 18} height={height - 40} /> : (
          <div style={{ color: theme.colors.text.secondary, textAlign: 'center', paddingTop: height / 4 }}>{panel.fieldConfig.defaults.noValue}</div>
        )}
      </div>
    </div>
  );
}

function Board() {
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div style={{ position: 'absolute', left: 16, top: 12, fontSize: 18, fontWeight: 500 }}>Watchkeeper / Model: delays</div>
      {board.panels.map((panel: any, index: number) => <Panel key={index} panel={panel} />)}
    </ThemeContext.Provider>
  );
}

document.body.style.background = theme.colors.background.canvas;
document.body.style.color = theme.colors.text.primary;
document.body.style.fontFamily = theme.typography.fontFamily;
createRoot(document.getElementById('root')!).render(<Board />);
