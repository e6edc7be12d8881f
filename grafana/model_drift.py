"""What moved: drift as a share of each feature's calibrated limit, so that 1 means the same everywhere."""

from __future__ import annotations

from grafana.board import Row
from grafana.panels import Levels, bars, dashed, graph, heat, link
from grafana.query import MODEL, NOW, Query, of

METHOD = 'method=~"$method"'
SPANS = 'segment="",over!=""'
SHOWN = 30
"""Features in the heatmap: those that came nearest to their limit in the time that is shown."""
SHARES: Levels = [
    (None, "rgba(128,128,128,0.12)"),
    (0.25, "super-light-yellow"),
    (0.5, "light-yellow"),
    (0.75, "orange"),
    (1, "red"),
    (2, "dark-red"),
]
EMPTY = "no limits yet: there is no reference, or no window has closed"

_DRIFT = of("feature_drift", MODEL, NOW, METHOD)
_LIMIT = of("feature_drift_limit", MODEL, NOW, METHOD)
_SHARE = f"max by (feature) ({_DRIFT} / {_LIMIT})"
_VALUES = "${page}/api/v1/measurements?model=${model}&name=feature_drift&label=feature=${__field.labels.feature}"


def drift() -> Row:
    """Drift of the features and of the predictions."""
    # The same features at every moment: the range is the one that is shown, seen from its end.
    peak = f"max_over_time({_DRIFT}[$__range] @ end()) / last_over_time({_LIMIT}[$__range] @ end())"
    nearest = f"topk({SHOWN}, max by (feature) ({peak}))"
    details = link("This feature's measurements", _VALUES)
    prediction = of("prediction_drift", MODEL, NOW, METHOD)
    panels = [
        heat(
            "Drift heatmap",
            f"Each feature's drift as a share of its calibrated limit, the {SHOWN} that came nearest to it: from 1 on "
            "(red) it has drifted. Where several methods are chosen, the one that sees most.",
            "percentunit",
            Query(f"{_SHARE} and on (feature) {nearest}", "{{feature}}"),
            empty=EMPTY,
            levels=SHARES,
        ).data_links([details]),
        bars(
            "Top drifting features",
            "Drift of the newest window as a share of the calibrated limit.",
            "percentunit",
            Query(f"sort_desc(topk(15, {_SHARE}))", "{{feature}}", instant=True),
            empty=EMPTY,
            levels=[(None, "green"), (0.75, "orange"), (1, "red")],
        ).data_links([details]),
        dashed(
            graph(
                "Drift of the predictions",
                "Distance of the newest window's predictions from the reference's; dashed: the calibrated limit.",
                "none",
                Query(f"max by (method) ({prediction})", "{{method}}"),
                Query(
                    f"max by (method) ({prediction.replace('prediction_drift', 'prediction_drift_limit')})",
                    "limit, {{method}}",
                ),
                empty=EMPTY,
                size=(12, 10),
            ),
            "^limit, ",
        ),
        graph(
            "Drifted features",
            "Features beyond their calibrated limit.",
            "none",
            Query(f"max by (model) ({of('drifted_features', MODEL, NOW)})", "drifted features"),
            empty=EMPTY,
        ),
        graph(
            "Drifted features over longer spans",
            "Features beyond the limit of several windows together, by span: what is too slow or too small for one.",
            "none",
            Query(f"max by (over) ({of('drifted_features', MODEL, SPANS)})", "{{over}}"),
            empty="no `checks.drift.lookback` in the config, or too little history",
        ),
        graph(
            "Drift as it is measured",
            "The distances themselves, of the ten features nearest to their limit.",
            "none",
            Query(
                f"max by (feature, method) ({_DRIFT}) and on (feature) topk(10, max by (feature) ({peak}))",
                "{{feature}} {{method}}",
            ),
            empty=EMPTY,
            size=(24, 8),
        ),
    ]
    return "Drift", panels
