"""An incident of drift gets a picture of what it is about, drawn once, by the worker."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from alerts.incidents.incident import Incident
from checks.base import Window, labels
from checks.pictures.distribution import Distribution
from checks.pictures.drawn import Drawn
from monitor.alerting.incident_pictures import SHOWN, add, columns_of, text
from monitor.pipeline.incident_pictures import PictureDrawing
from monitor.store.alerts import pictures
from monitor.worker.pool import WorkerError
from monitor.worker.tasks import draw_pictures
from monitor.worker.turns import Urgency
from tests.alerts.builders import HOUR, START, alert, incident, rule
from tests.alerts.world import Receiver, World, world
from tests.monitor.pipeline.parts import parts_of

WINDOW = Window(START, START + HOUR)


def column(feature: str = "distance", metric: str = "feature_drift", segment: str = "") -> Drawn:
    own = Distribution(feature, True, ("0 – 1", "1 – 2"), (0.5, 0.5), (0.1, 0.9), (0.0, 1.0, 2.0), f"{feature} moved")
    return Drawn(metric, labels(feature=feature, segment=segment), own)


def names(columns: list[Drawn]) -> list[str]:
    return [dict(one.labels).get("feature", "") for one in columns]


def test_a_picture_shows_what_the_alerts_are_about() -> None:
    drawn = [column("fuel"), column("distance"), column("distance", segment="shop=a"), column("", "prediction_drift")]
    assert names(columns_of(incident(alert(feature="distance")), drawn)) == ["distance"]
    assert columns_of(incident(alert(feature="distance", segment="shop=a")), drawn) == [drawn[2]]
    assert columns_of(incident(alert(feature="colour")), drawn) == []
    count = alert(feature="", metric="drifted_features")
    assert names(columns_of(incident(count), drawn)) == ["fuel", "distance"]
    assert names(columns_of(incident(count), [column(str(number)) for number in range(9)])) == ["0", "1", "2", "3"]
    assert SHOWN == 4


def test_what_is_not_about_drift_has_none() -> None:
    assert columns_of(incident(alert(metric="missing_ratio")), [column()]) == []


def test_its_words_are_the_sentences_of_what_moved() -> None:
    told = text([column("fuel"), column("distance", segment="shop=a")])
    assert told == "fuel: fuel moved. shop=a: distance: distance moved."
    assert len(text([column("x" * 500)] * 4)) <= 600


def illustrate(it: World, *drawn: Drawn) -> bool:
    return it.writer.call(lambda connection: it.incidents.attach_pictures(connection, "delays", drawn, WINDOW))


def fired(it: World) -> None:
    for hour in (1, 2):
        it.window(3.2, hour)


class Own:
    """A worker that draws in this process, or fails as told."""

    def __init__(self, *problems: WorkerError) -> None:
        self.problems = list(problems)

    def run(self, task: Any, *arguments: object, urgency: Urgency) -> Any:
        assert task is draw_pictures
        if self.problems:
            raise self.problems.pop(0)
        return task(*arguments)


def picture_drawing(it: World, *problems: WorkerError) -> PictureDrawing:
    return PictureDrawing("delays", parts_of(it, Own(*problems)))


def test_an_incident_gets_one_picture_and_people_are_told_of_it(tmp_path: Path) -> None:
    with world(tmp_path, [rule()], receiver := Receiver()) as it:
        assert not illustrate(it, column()), "nothing fires"
        fired(it)
        assert illustrate(it, column())
        assert not illustrate(it, column()), "it has one"
        told = Incident.from_dict(it.incident())
        assert told.picture is not None
        assert (told.picture.start, told.picture.end) == (WINDOW.start, WINDOW.end)
        it.deliver(60)
        (notice, _), *_ = receiver.sent
        assert notice.incident.picture == told.picture, "with the first message already"
        assert picture_drawing(it).run() == 1
        svg, png = (pictures.image(it.engine, told.picture.id, kind) or b"" for kind in ("svg", "png"))
        assert ET.fromstring(svg).tag.endswith("svg")
        with Image.open(io.BytesIO(png)) as image:
            assert image.format == "PNG"
        assert picture_drawing(it).run() == 0, "drawn once"
        assert pictures.kept(it.engine, [told.picture.id, "other"]) == {told.picture.id}


def test_a_picture_that_cant_be_drawn_is_tried_again_and_then_left(tmp_path: Path) -> None:
    with world(tmp_path, [rule()], Receiver()) as it:
        fired(it)
        illustrate(it, column())
        made = picture_drawing(it, *[WorkerError("crashed", "gone")] * 2)
        assert [made.run() for _ in range(4)] == [0, 0, 1, 0]
    (other := tmp_path / "other").mkdir()
    with world(other, [rule()], Receiver()) as it:
        fired(it)
        illustrate(it, column())
        made = picture_drawing(it, *[WorkerError("crashed", "gone")] * pictures.TRIES)
        assert [made.run() for _ in range(5)] == [0] * 5
        assert picture_drawing(it).run() == 0, "nor after a restart"


def test_the_oldest_go(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(pictures, "KEPT", 2)
    with world(tmp_path, [rule()], Receiver()) as it:
        fired(it)
        told, ids = Incident.from_dict(it.incident()), [f"p{number}" for number in range(4)]
        for id in ids:
            now = it.clock.forward(1.0)
            it.writer.call(partial(add, incident=told, columns=[column()], window=WINDOW, id=id, now=now))
            picture_drawing(it).run()
        assert pictures.kept(it.engine, ids) == {"p2", "p3"}
        assert pictures.image(it.engine, "p0", "png") is None
