from __future__ import annotations

from typing import Any

import pytest

from monitor.collectors.probe.open_inference import answer_problem, infer_url, output_difference, request_problem


def tensor(**change: Any) -> dict[str, Any]:
    whole = {"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [1, 2.5, 3, 4], **change}
    return {key: value for key, value in whole.items() if value is not None}


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("http://h:8080", "http://h:8080/v2/models/iris/infer"),
        ("http://h/serving/", "http://h/serving/v2/models/iris/infer"),
        ("http://h/v2/models/other", "http://h/v2/models/other/infer"),
        ("http://h/v2/models/other/versions/3", "http://h/v2/models/other/versions/3/infer"),
        ("http://h/v2/models/other/infer?a=b", "http://h/v2/models/other/infer?a=b"),
    ],
)
def test_where_the_request_goes(url: str, whole: str) -> None:
    assert infer_url(url, "iris") == whole


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"data": [[1, 2], [3, 4]]},
        {"datatype": "BYTES", "data": ["a", "b", "c", "d"]},
        {"datatype": "BOOL", "shape": [1], "data": [True]},
        {"datatype": "UINT8", "shape": [1], "data": [0]},
        {"shape": [0, 5], "data": []},
        {"shape": [2, 1, 2], "data": [[[1, 2]], [[3, 4]]]},
    ],
)
def test_a_request_of_the_protocol(change: dict[str, Any]) -> None:
    body = {"id": "1", "parameters": {}, "inputs": [tensor(**change)], "outputs": [{"name": "y"}]}
    assert request_problem(body) is None


@pytest.mark.parametrize(
    ("body", "place", "said"),
    [
        ([1], (), "must be an object with inputs"),
        ({}, (), "needs inputs"),
        ({"inputs": []}, ("inputs",), "needs inputs"),
        ({"inputs": [5]}, ("inputs", 0), "must be an object: {name, shape, datatype, data}"),
        ({"inputs": [tensor(shape=None)]}, ("inputs", 0), "'shape' is missing"),
        ({"inputs": [tensor(), tensor()]}, ("inputs", 1, "name"), "'x' stands twice"),
        ({"inputs": [tensor(name=5)]}, ("inputs", 0, "name"), "must be text"),
        ({"inputs": [tensor(shape=[-1, 2])]}, ("inputs", 0, "shape"), "must be a list of whole numbers"),
        ({"inputs": [tensor(datatype="float32")]}, ("inputs", 0, "datatype"), "must be one of BOOL, UINT8"),
        ({"inputs": [tensor(data=4)]}, ("inputs", 0, "data"), "must be a list"),
        ({"inputs": [tensor(data=[1, 2, 3])]}, ("inputs", 0, "data"), "has 3 elements, but shape [2, 2] means 4"),
        (
            {"inputs": [tensor(data=[[1, 2, 3], [4]])]},
            ("inputs", 0, "data"),
            "is nested otherwise than shape [2, 2] says",
        ),
        (
            {"inputs": [tensor(data=[1, 2, "3", 4])]},
            ("inputs", 0, "data"),
            "element 2 of FP32 must be a number",
        ),
        ({"inputs": [tensor(datatype="INT8")]}, ("inputs", 0, "data"), "element 1 of INT8 must be a whole number"),
        (
            {"inputs": [tensor(datatype="UINT8", shape=[1], data=[-1])]},
            ("inputs", 0, "data"),
            "element 0 of UINT8 must be a whole number, not negative",
        ),
        ({"inputs": [tensor(datatype="BOOL")]}, ("inputs", 0, "data"), "element 0 of BOOL must be true or false"),
        ({"inputs": [tensor(datatype="BYTES")]}, ("inputs", 0, "data"), "element 0 of BYTES must be text"),
    ],
)
def test_what_is_no_request_of_the_protocol(body: Any, place: tuple[str | int, ...], said: str) -> None:
    problem = request_problem(body)
    assert problem is not None
    assert problem[0] == place
    assert problem[1].startswith(said)


def test_an_answer_that_can_be_compared_has_outputs_with_name_and_data() -> None:
    assert answer_problem({"outputs": [{"name": "y", "data": [1]}]}) is None
    assert answer_problem([1]) == ((), "must be an object with outputs: a list of {name, data}")
    assert answer_problem({"outputs": [{"name": "y"}]}) == (("outputs", 0), "needs name and data")


GOT = {
    "model_name": "iris",
    "model_version": "3",
    "outputs": [
        {"name": "score", "shape": [2, 1], "datatype": "FP32", "data": [[0.25], [0.75]]},
        {"name": "label", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]},
    ],
}


@pytest.mark.parametrize(
    "expected",
    [
        None,
        {"outputs": [{"name": "label", "data": ["a", "b"]}]},
        {"outputs": [{"name": "label", "data": [["a"], ["b"]]}, {"name": "score", "data": [0.25, 0.750001]}]},
        {"model_version": "3", "outputs": [{"name": "score", "shape": [2, 1], "data": [[0.25], [0.75]]}]},
    ],
)
def test_outputs_are_found_by_name_and_data_flattened_or_nested_alike(expected: Any) -> None:
    assert output_difference(expected, GOT, 1e-5) is None


@pytest.mark.parametrize(
    ("expected", "got", "said"),
    [
        ({"outputs": [{"name": "score", "data": [0.25, 0.5]}]}, GOT, "$.outputs.score.data[1]: 0.75 instead of 0.5"),
        ({"outputs": [{"name": "score", "data": [1]}]}, GOT, "$.outputs.score.data: 2 items instead of 1"),
        ({"outputs": [{"name": "p(late)", "data": [1]}]}, GOT, "$.outputs['p(late)'] is missing"),
        (
            {"outputs": [{"name": "score", "datatype": "FP64", "data": [0.25, 0.75]}]},
            GOT,
            '$.outputs.score.datatype: "FP32" instead of "FP64"',
        ),
        ({"model_version": "4", "outputs": []}, GOT, '$.model_version: "3" instead of "4"'),
        (None, {"predictions": [1]}, "$.outputs is missing"),
        (None, [1], "$.outputs is missing"),
        (None, {"outputs": [5]}, "$.outputs has no output with a name"),
        ({"outputs": [{"name": "y", "data": [1]}]}, {"outputs": [{"name": "y"}]}, "$.outputs.y.data is missing"),
    ],
)
def test_the_first_difference(expected: Any, got: Any, said: str) -> None:
    assert output_difference(expected, got, 1e-5) == said
