"""Predictions as they are posted, checked and turned into columns."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta

from checks.suggest import nearest
from monitor.ingest.body import Decoder, media_type
from monitor.ingest.columns import PayloadColumns, feature_names
from monitor.ingest.expected import ANYTHING, Expected, check_keys, note_keys
from monitor.ingest.rejection import BadRow, Parsed, RejectionReason, Rejections, TooLarge
from monitor.ingest.text import ID_LENGTH, NAME_LENGTH, NUL, check_id, check_text, quoted, type_name
from monitor.ingest.times import Stamp, TimeRange
from monitor.ingest.warnings import WarningKind, Warnings
from monitor.settings.root import LimitSettings

Scalar = str | int | float | bool
TAGS = 64
CLASSES = 10_000
CELLS = 8_000_000
"""Rows times distinct feature names of one body: what its columns may take."""


class Prediction(msgspec.Struct, gc=False):
    """One row; unknown keys are counted and not read, so that a newer client may say more."""

    id: str
    prediction: Scalar
    time: Stamp = None
    features: dict[str, Scalar | None] = msgspec.field(default_factory=dict)
    probabilities: dict[str, float] | list[float] | float | None = None
    latency_seconds: float | None = None
    version: str | None = None
    tags: dict[str, str] | None = None


@lru_cache(maxsize=8)
def _decoder(string_length: int, features: int) -> Decoder[Prediction]:
    """Limits stand in the type, where they are checked while decoding, at a quarter of what a second look costs."""
    text: Any = Annotated[str, Meta(max_length=string_length)]
    # msgpack's and Arrow's integers end at 64 bits; wider ones become floats on the slow path.
    scalar: Any = text | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | float | bool
    fields: list[Any] = [
        ("id", Annotated[str, Meta(min_length=1, max_length=ID_LENGTH)]),
        ("prediction", scalar),
        ("time", datetime | float | None, None),
        (
            "features",
            Annotated[dict[str, scalar | None], Meta(max_length=features)],
            msgspec.field(default_factory=dict),
        ),
        (
            "probabilities",
            Annotated[dict[text, float], Meta(max_length=CLASSES)]
            | Annotated[list[float], Meta(max_length=CLASSES)]
            | float
            | None,
            None,
        ),
        ("latency_seconds", Annotated[float, Meta(ge=0)] | None, None),
        ("version", text | None, None),
        ("tags", Annotated[dict[text, text], Meta(max_length=TAGS)] | None, None),
    ]
    row, strict = (
        msgspec.defstruct("Prediction", fields, bases=(Prediction,), gc=False, forbid_unknown_fields=only)
        for only in (False, True)
    )
    return Decoder(cast("type[Prediction]", row), cast("type[Prediction]", strict))


def fast_predictions(
    body: bytes, content_type: str, limits: LimitSettings, span: TimeRange, expected: Expected = ANYTHING
) -> Parsed | None:
    """The rows of a body that is small and wholly good, else None. Raises TooLarge."""
    decoder, unknown = _decoder(limits.string_length, limits.features), Counter[str]()
    if NUL in body or (rows := decoder.fast(body, media_type(content_type), unknown)) is None:
        return None
    check_count(len(rows), limits)
    if not rows:
        return Parsed(0, 0.0, 0.0, b"", Rejections(), Counter())
    times, names = span.all_seconds([row.time for row in rows]), feature_names(rows)
    if times is None or not _fit(names, limits):
        return None
    columns = PayloadColumns()
    _add(columns, rows, times, names)
    return _parsed(columns, Rejections(), Counter(), _warnings(columns, expected, unknown))


def parse_predictions(
    body: bytes, content_type: str, limits: LimitSettings, span: TimeRange, expected: Expected = ANYTHING
) -> Parsed:
    """The good rows of `body` in columns, and why the others are not there. Raises Malformed and TooLarge."""
    parsed = fast_predictions(body, content_type, limits, span, expected)
    return parsed if parsed is not None else _Taken(limits, span, expected).all(body, media_type(content_type))


class _Taken:
    """The rows of one body, taken piece by piece."""

    def __init__(self, limits: LimitSettings, span: TimeRange, expected: Expected) -> None:
        self._limits, self._span, self._expected = limits, span, expected
        self._unknown = Counter[str]()
        self._warnings = Warnings()
        self._decoder = _decoder(limits.string_length, limits.features)
        self._columns = PayloadColumns()
        self._names: dict[str, None] = {}
        self._rejections = Rejections()
        self._repaired: Counter[RejectionReason] = Counter()

    def all(self, body: bytes, media: str) -> Parsed:
        seen, plain = 0, NUL not in body
        for piece in self._decoder.pieces(body, media, self._unknown):
            check_count(seen + len(piece), self._limits)
            if not (plain and piece and self._together(piece)):
                self._apart(piece, seen)
            seen += len(piece)
        found = _warnings(self._columns, self._expected, self._unknown, self._warnings)
        return _parsed(self._columns, self._rejections, self._repaired, found)

    def _together(self, piece: list[Any]) -> bool:
        """Takes a whole piece where nothing in it needs a closer look."""
        if not isinstance(piece[0], Prediction):
            return False
        times, found = self._span.all_seconds([row.time for row in piece]), feature_names(piece)
        names = self._names | dict.fromkeys(found)
        if times is None or not _fit(names, self._limits):
            return False
        _add(self._columns, piece, times, found)
        self._names = names
        return True

    def _apart(self, piece: list[Any], seen: int) -> None:
        rows: list[Prediction] = []
        times: list[float] = []
        for index, value in enumerate(piece, seen):
            try:
                row, time = self._one(value)
            except BadRow as error:
                self._rejections.add(index, error)
                continue
            rows.append(row)
            times.append(time)
        if rows:
            _add(self._columns, rows, times, feature_names(rows))

    def _one(self, value: Any) -> tuple[Prediction, float]:
        """A row and its time. Raises BadRow."""
        if isinstance(value, dict):
            note_keys(self._unknown, value.keys() - self._decoder.keys)
            value = self._without_lists(value)
        row = value if isinstance(value, Prediction) else _row(value, self._decoder, self._limits)
        time = self._span.seconds(row.time)
        odd = _admit(row)
        more = row.features.keys() - self._names.keys()
        if len(self._names) + len(more) > self._limits.features:
            raise BadRow(
                RejectionReason.TOO_MANY_FEATURES, _too_many("feature names in one body", self._limits.features)
            )
        self._names.update(dict.fromkeys(row.features))
        if odd:
            self._repaired[RejectionReason.NOT_FINITE] += odd
        return row, time

    def _without_lists(self, value: dict[str, Any]) -> dict[str, Any]:
        """The row without the features that are lists or objects: they cost themselves, not the row."""
        features = value.get("features")
        if not isinstance(features, dict) or len(features) > self._limits.features:
            return value
        nested = {name: given for name, given in features.items() if isinstance(given, list | dict)}
        if not nested:
            return value
        name, given = next(iter(nested.items()))
        said = f"feature {quoted(name)} is {type_name(given)}, taken as missing; send one value"
        self._warnings.add(WarningKind.UNREADABLE_FEATURE, 1, said)
        return {**value, "features": features | dict.fromkeys(nested)}


def _warnings(
    columns: PayloadColumns, expected: Expected, unknown: Counter[str], found: Warnings | None = None
) -> Warnings:
    found = Warnings() if found is None else found
    if len(columns):
        columns.check(expected, found)
    if unknown:
        check_keys(unknown, Prediction.__struct_fields__, len(columns), found, columns.names > 0)
    return found


def _fit(names: Collection[str], limits: LimitSettings) -> bool:
    return len(names) <= limits.features and max(map(len, names), default=0) <= NAME_LENGTH


def _row(value: Any, decoder: Decoder[Prediction], limits: LimitSettings) -> Prediction:
    if isinstance(value, BadRow):
        raise value
    try:
        return decoder.convert(value)
    except msgspec.ValidationError as error:
        raise _why(value, limits, str(error)) from None


def _admit(row: Prediction) -> int:
    """Checks what the row's type can't say; how many of its features are not finite. Raises BadRow."""
    check_id(row.id)
    if isinstance(row.prediction, str):
        check_text("prediction", row.prediction)
    elif not math.isfinite(row.prediction):
        raise BadRow(RejectionReason.NOT_FINITE, f"prediction is {row.prediction}")
    if row.latency_seconds is not None and not math.isfinite(row.latency_seconds):
        raise BadRow(RejectionReason.NOT_FINITE, f"latency_seconds is {row.latency_seconds}")
    if row.version is not None:
        check_text("version", row.version)
    _check_probabilities(row.probabilities)
    for name, tag in (row.tags or {}).items():
        check_text("tag", name)
        check_text(f"tag {quoted(name)}", tag)
    odd = 0
    for name, value in row.features.items():
        if len(name) > NAME_LENGTH:
            raise BadRow(RejectionReason.STRING_TOO_LONG, f"a feature's name is over {NAME_LENGTH} characters")
        check_text("a feature's name", name)
        if isinstance(value, str):
            check_text(f"feature {quoted(name)}", value)
        elif isinstance(value, float) and not math.isfinite(value):
            odd += 1
    return odd


def _check_probabilities(given: dict[str, float] | list[float] | float | None) -> None:
    if given is None:
        return
    numbers: Iterable[float]
    if isinstance(given, dict):
        numbers = given.values()
        for name in given:
            check_text("class", name)
    else:
        numbers = given if isinstance(given, list) else [given]
    if not all(map(math.isfinite, numbers)):
        raise BadRow(RejectionReason.NOT_FINITE, "probabilities hold a value that is NaN or infinite")


def _why(value: Any, limits: LimitSettings, error: str) -> BadRow:
    """The reason why a row doesn't fit its type; `error` says it where nothing better does."""
    if not isinstance(value, dict):
        return BadRow(RejectionReason.INVALID_TYPE, f"a row must be an object, not {type_name(value)}")
    try:
        check_id(value.get("id"))
        if value.get("prediction") is None:
            raise BadRow(RejectionReason.MISSING_PREDICTION, f"no prediction{_misspelt(value)}")
        _check_scalars({"prediction": value["prediction"], "version": value.get("version")}, "", limits)
        features, tags = value.get("features", {}), value.get("tags")
        if isinstance(features, dict):
            if len(features) > limits.features:
                raise BadRow(RejectionReason.TOO_MANY_FEATURES, _too_many("features", limits.features, len(features)))
            _check_scalars(features, "feature ", limits)
        if isinstance(tags, dict):
            if len(tags) > TAGS:
                raise BadRow(RejectionReason.TOO_MANY_TAGS, _too_many("tags", TAGS, len(tags)))
            _check_scalars(tags, "tag ", limits)
        _check_classes(value.get("probabilities"), limits)
    except BadRow as reason:
        return reason
    if isinstance(value.get("time"), str):
        return BadRow(
            RejectionReason.INVALID_TIME, f"time {quoted(value['time'])} is neither RFC 3339 nor epoch seconds"
        )
    return BadRow(RejectionReason.INVALID_TYPE, error)


def _misspelt(value: dict[str, Any]) -> str:
    like = (name for name in value if name[:1] in "pP" and 7 <= len(name) <= 13 and name != "prediction")
    near = next((name for name in like if nearest(name.casefold(), ["prediction"])), None)
    return f"; did you mean `prediction` by {quoted(near)}?" if near else ""


def _check_classes(given: Any, limits: LimitSettings) -> None:
    if isinstance(given, dict | list) and len(given) > CLASSES:
        raise BadRow(RejectionReason.TOO_MANY_CLASSES, _too_many("probabilities", CLASSES, len(given)))
    if isinstance(given, dict) and max(map(len, given), default=0) > limits.string_length:
        raise BadRow(RejectionReason.STRING_TOO_LONG, f"a class is over {limits.string_length} characters")


def _check_scalars(given: dict[str, Any], what: str, limits: LimitSettings) -> None:
    for name, value in given.items():
        if isinstance(value, dict | list):
            raise BadRow(RejectionReason.INVALID_TYPE, f"{what}{quoted(name)} is {type_name(value)}; send one value")
        if isinstance(value, str) and len(value) > limits.string_length:
            raise BadRow(
                RejectionReason.STRING_TOO_LONG,
                f"{what}{quoted(name)} has {len(value)} characters; limits.string_length is {limits.string_length}",
            )


def _too_many(what: str, limit: int, given: int | None = None) -> str:
    return f"{given} {what}; at most {limit} are taken" if given else f"more than {limit} {what}"


def check_count(rows: int, limits: LimitSettings) -> None:
    if rows > limits.rows:
        raise TooLarge(f"the body has too many rows: limits.rows is {limits.rows}; send smaller batches")


def _add(columns: PayloadColumns, rows: list[Prediction], times: list[float], names: list[str]) -> None:
    columns.add(rows, times, names)
    if len(columns) * columns.names > CELLS:
        raise TooLarge(f"{len(columns)} rows over {columns.names} distinct feature names; send smaller batches")


def _parsed(
    columns: PayloadColumns, rejections: Rejections, repaired: Counter[RejectionReason], warnings: Warnings
) -> Parsed:
    if not len(columns):
        return Parsed(0, 0.0, 0.0, b"", rejections, repaired, warnings)
    times = columns.times
    return Parsed(len(times), min(times), max(times), columns.payload(), rejections, repaired, warnings)
