"""The names by which columns are known to be a prediction, a score, a target, a time or an id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

Role = Literal["prediction", "score", "target", "time", "id"]

USUAL: Mapping[Role, tuple[str, ...]] = {
    "prediction": (
        "prediction", "pred", "y_pred", "yhat", "y_hat", "predicted", "predictions", "preds", "ypred", "y_predicted",
        "predicted_label", "prediction_label", "predicted_class", "prediction_class", "pred_label", "pred_class",
        "predicted_value", "prediction_value", "pred_value", "predicted_target", "predicted_y", "model_prediction",
        "scored_labels", "predict",
    ),
    "score": (
        "score", "proba", "probability", "prediction_proba", "prediction_score", "prediction_probability",
        "predicted_proba", "predicted_probability", "y_score", "y_proba", "y_prob", "pred_proba",
        "y_pred_proba", "y_pred_prob", "y_probability", "pred_prob", "pred_probability", "pred_score", "predicted_prob",
        "predicted_score", "prediction_prob", "predict_proba", "model_score", "scored_probabilities",
    ),
    "target": (
        "target", "label", "y", "y_true", "actual", "ground_truth", "truth", "true_label", "outcome",
        "actuals", "actual_label", "actual_class", "actual_value", "actual_target", "true_class", "true_value",
        "true_target", "y_actual", "ground_truth_label", "target_label", "target_value", "gold_label",
    ),
    "time": (
        "time", "timestamp", "event_time", "event_timestamp", "prediction_time", "datetime", "ts", "date",
        "prediction_timestamp", "inference_time", "inference_timestamp", "request_time", "request_timestamp",
        "predicted_at", "ds",
    ),
    "id": (
        "id", "prediction_id", "event_id", "request_id", "inference_id", "row_id", "uuid",
        "prediction_uuid", "pred_id", "record_id", "sample_id", "identifier",
    ),
}  # fmt: skip
"""By role, the likeliest first. Case does not matter; blanks, dots, hyphens and camelCase are read as underscores."""
PREFIXES = ("predicted_", "yhat_", "y_hat_")
"""With what the name of a prediction begins, where no column has a usual name and only one begins so."""
ANSWERS = ("{}", "actual_{}", "true_{}", "{}_actual", "{}_true")
"""What the target of `predicted_<name>` may be called."""
ESTIMATES = (
    "predicted_{}",
    "prediction_{}",
    "pred_{}",
    "{}_predicted",
    "{}_prediction",
    "{}_pred",
    "yhat_{}",
    "{}_hat",
)
"""What the prediction of the target `<name>` may be called."""
PROBABILITY_PREFIXES = (
    "proba_", "p_", "probability_", "prob_",
    "y_pred_proba_", "y_proba_", "y_score_", "pred_proba_", "predicted_proba_", "predicted_probability_",
    "prediction_proba_", "prediction_probability_", "prediction_score_", "score_", "scores_",
)  # fmt: skip
"""With what the name of a class's probability begins; the class follows."""
PROBABILITY_SUFFIXES = ("_proba", "_probability", "_prob", "_score")
"""With what it ends, where the class comes first."""

_BETWEEN = re.compile(r"[\s.\-_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LIKE: Mapping[Role, frozenset[str]] = {
    "prediction": frozenset(
        ("pred", "preds", "predict", "predicted", "prediction", "predictions", "yhat", "ypred", "forecast", "fitted")
    ),
    "score": frozenset(("proba", "prob", "probability", "probabilities", "likelihood", "score", "scores", "logit")),
    "target": frozenset(("target", "label", "labels", "truth", "actual", "actuals", "outcome", "groundtruth")),
}
"""Words in a name that make one ask."""


def key(name: str) -> str:
    """Return the name as it is compared.

    >>> key("predictionScore"), key("Y-Pred"), key("Scored Labels"), key("ID")
    ('prediction_score', 'y_pred', 'scored_labels', 'id')
    """
    return _BETWEEN.sub("_", _CAMEL.sub("_", name)).strip("_").lower()


def usual_role(name: str) -> Role | None:
    """Return the role that a column of this name has by its name alone.

    >>> usual_role("y_hat"), usual_role("distance")
    ('prediction', None)
    """
    return next((role for role, names in USUAL.items() if key(name) in names), None)


def estimates_of(target: str, names: Iterable[str]) -> list[str]:
    """Return which of the names are a prediction's by the target's name: `predicted_minutes` of `minutes`."""
    stems = {key(target)} | {key(target).removeprefix(start) for start in ("actual_", "true_", "target_")}
    stems |= {key(target).removesuffix(end) for end in ("_actual", "_true")}
    wanted = {form.format(stem) for stem in stems for form in ESTIMATES}
    return [name for name in names if name != target and key(name) in wanted]


def answers_of(prediction: str, names: Iterable[str]) -> list[str]:
    """Return which of the names are the target's by the prediction's name: `minutes` of `predicted_minutes`."""
    stem = next((key(prediction).removeprefix(start) for start in PREFIXES if key(prediction).startswith(start)), None)
    wanted = {form.format(stem) for form in ANSWERS} if stem else set()
    return [name for name in names if name != prediction and key(name) in wanted]


def class_of(name: str) -> list[str]:
    """Return what in the name of a column may be the class that it is the probability of.

    >>> class_of("score_cat"), class_of("cat_proba"), class_of("distance")
    (['cat'], ['cat'], [])
    """
    lower = name.lower()
    starts = [name[len(prefix) :] for prefix in PROBABILITY_PREFIXES if lower.startswith(prefix)]
    ends = [name[: -len(suffix)] for suffix in PROBABILITY_SUFFIXES if lower.endswith(suffix)]
    return [word for word in (*starts, *ends) if word]


def looks_like(name: str) -> Role | None:
    """Return the role that a word in the name speaks of; to ask, not to decide.

    >>> looks_like("delay_pred"), looks_like("predator"), looks_like("credit_score")
    ('prediction', None, 'score')
    """
    words = set(key(name).split("_"))
    return next((role for role in ("score", "prediction", "target") if words & _LIKE[role]), None)
