"""Files that YAML, a shell or another program would read otherwise than they are meant: each gets its sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alerts.duration import seconds
from monitor.config.errors import LONGEST, SHOWN, ConfigError, printable
from monitor.config.load import load
from monitor.config.text_file import MOST_BYTES
from monitor.config.yaml_document import parse
from monitor.settings.root import Config


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "watchkeeper.yaml"


def refused(file: Path, text: str | bytes, **environment: str) -> str:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load(file, environment, notify=False)
    return str(caught.value).replace(f"{file}:", "")


def taken(file: Path, text: str, **environment: str) -> Config:
    file.write_text(text, "utf-8")
    return load(file, environment, notify=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model: a\nworker: {timeout: !!int x}", "2: not valid YAML: 'x' is no whole number that can be read"),
        ("model: a\ntime: !!bool perhaps", "2: not valid YAML: 'perhaps' is no true or false that can be read"),
        (
            "model: a\ntime: 2024-02-30",
            "2: not valid YAML: '2024-02-30' is no date or time that can be read; put it in",
        ),
        ("model: a\ntime: 2024-01-01 00:00:00 +99:99", "2: not valid YAML: '2024-01-01 00:00:00 +99:99' is no date"),
        (
            f"model: a\nlimits: {{rows: {'9' * 5000}}}",
            "2: not valid YAML: '9999999999999999999999999999999999999999' is",
        ),
        (
            "model: a\ntime: !!binary aGk=",
            "2: not valid YAML: !!binary says what kind of value this is, which a config",
        ),
        ("model: a\nrules: !!set {a}", "2: not valid YAML: !!set says what kind"),
        (
            "model: a\ntime: !!python/object/apply:os.getpid []",
            "2: not valid YAML: !!python/object/apply:os.getpid says",
        ),
        ("model: a\ntime: \x07", "2: not valid YAML: the character U+0007 can't stand in it"),
        ('model: a\ntime: "\\ud800"', "2: not valid YAML: a text can't hold the character U+0000, nor a half one"),
        ('model: a\ntime: "\\0"', "2: not valid YAML: a text can't hold the character U+0000"),
        ('model: a\ntime: "\\U00110000"', "2: not valid YAML: a number in it is out of range"),
        ("model: a\nrules: " + "[" * 100, "2: not valid YAML: nested too deeply"),
        ("model: a\nrules:\n" + "- " * 100, "3: not valid YAML: nested too deeply"),
        ("<<: 5\nmodel: a", "1: not valid YAML: << takes a section, or a list of sections"),
        ("model: a\nrules: &a {<<: *a}", "2: not valid YAML: an alias contains itself"),
    ],
)
def test_what_yaml_itself_fails_on_is_a_sentence_with_its_line(file: Path, text: str, said: str) -> None:
    assert refused(file, text).startswith(said)


def test_aliases_of_aliases_and_merges_of_merges_end_soon(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.config.yaml_document._MAX_NODES", 2_000)
    assert refused(file, "model: a\nrules: [" + "1," * 2_000 + "]") == "2: not valid YAML: too many values"
    laughs = "model: m\nx-0: &a0 [lol]\n" + "".join(
        f"x-{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 30)
    )
    assert "not valid YAML: too many values" in refused(file, laughs)
    merges = "model: m\nx-0: &a0 {k: 1}\n" + "".join(
        f"x-{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 10)}]}}\n" for level in range(1, 30)
    )
    assert "not valid YAML: too many values" in refused(file, merges)


def test_a_merged_section_gives_way_to_own_keys_and_to_earlier_ones() -> None:
    document = parse("x: &x {a: 1, b: 1}\ny: {<<: [*x, {b: 2, c: 2}], a: 3}", {})
    assert document.value["y"] == {"a": 3, "b": 1, "c": 2}
    assert document.problems == []


def test_a_file_that_is_large_no_text_or_no_file_is_refused_without_being_read_whole(file: Path) -> None:
    assert refused(file, b"#" * (MOST_BYTES + 1)) == " the file is larger than 1 MiB"
    assert refused(file, "model: ä".encode("utf-16")) == " the file is not UTF-8 text (byte 0)"
    for path, said in (("/dev/zero", "this is no regular file"), ("a\0b", "this is no path of a file")):
        with pytest.raises(ConfigError, match=said):
            load(path, {})


def test_a_config_may_come_through_a_pipe_but_what_it_names_may_not(file: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"model: piped")
    os.close(writing)
    assert load(f"/dev/fd/{reading}", {}).models[0].model == "piped"
    os.close(reading)
    os.mkfifo(tmp_path / "weights.csv")
    assert "this is no regular file" in refused(file, "model: a\nchecks: {drift: {importance: weights.csv}}")
    os.mkfifo(tmp_path / "token")
    assert "is no regular file" in refused(file, "model: a\ntokens: {admin_file: token}")


def test_a_long_list_of_mistakes_is_cut_and_says_so(file: Path) -> None:
    said = refused(file, "model: a\n" + "".join(f"unknown{number}: 1\n" for number in range(SHOWN + 7)))
    assert said.splitlines()[-1] == " and 7 more; mend these first"
    assert len(said.splitlines()) == SHOWN + 1


def test_an_error_is_printable_and_of_bounded_length(file: Path) -> None:
    said = refused(file, 'model: a\n"k\\e[31m\\n\\u202e": 1\n')
    assert "'k\\x1b[31m\\n\\u202e'" in said
    assert printable("a\nb\x1b\u2028é") == "a\\nb\\x1b\\u2028é"
    assert len(printable("x" * 100_000)) <= LONGEST


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "slack:\n  channel: #ml-oncall",
            "3: channel is empty: #ml-oncall is a comment, since # begins one; put it in",
        ),
        ("slack: {channel: #ml-oncall}", "2: not valid YAML: #ml-oncall is a comment, since # begins one"),
        ("collect:\n  disks:\n  - #data", "4: 0 is empty: #data is a comment"),
        (
            "slack:\n  channel: '#c'\n  token: $SLACK_TOKEN",
            "4: $SLACK_TOKEN is not filled in; write ${SLACK_TOKEN} for",
        ),
        ("database: postgresql://me:$DB_PASSWORD@db/w", "2: $DB_PASSWORD is not filled in; write ${DB_PASSWORD}"),
        ("reference: s3://bucket/ref.parquet", "2: reference: s3:// can't be read yet; copy it here and name the file"),
        ("reference: {path: gs://bucket/ref.parquet}", "2: reference: gs:// can't be read yet"),
        ("reference: file:///data/ref.parquet", "2: reference: write the path alone, without file://"),
        ("server: {url: 'http://h', timeout: 0s}", "2: server.timeout: must be from 100ms to 1h, and is 0s"),
        ("server: {url: 'http://h', interval: 0s}", "2: server.interval: must be from 100ms to 7d, and is 0s"),
        ("server: {url: 'http://h', interval: .nan}", "2: server.interval: a duration must be a number, and 100 years"),
        ("worker: {timeout: .inf}", "2: worker.timeout: a duration must be a number, and 100 years at most"),
        ("windows: {every: 1e12}", "2: windows.every: a duration must be a number, and 100 years at most"),
        ("windows: {every: 0s}", "2: windows.every: must be from 1s to 36525d, and is 0s"),
        ("evaluate: 0", "2: evaluate: must be from 100ms to 7d, and is 0s"),
        ("retention: {events: 0s}", "2: retention.events: must be from 1s to 36525d, and is 0s"),
        ("heartbeat: {url: 'http://h', timeout: 2d}", "2: heartbeat.timeout: must be from 100ms to 1h, and is 2d"),
        ("mute_times: [{name: n, days: []}]", "2: mute_times[0].days"),
        ("mute_times: [{name: n, times: []}]", "2: mute_times[0].times"),
        ("rules: [{name: cpu-high, above: 90}]", "2: rule 'cpu-high': above: cpu_utilization_ratio is a ratio, from 0"),
        (
            "rules: [{name: r, metric: missing_ratio, outside: {low: 0.1, high: 5}}]",
            "2: rule 'r': outside: missing_ratio is",
        ),
        (
            "rules: [{name: r, metric: missing_ratio, above: .nan}]",
            "2: rule 'r': above: nothing is above or below .nan",
        ),
        (
            "rules: [{name: r, metric: window_rows, above: 1, for: 99999 windows}]",
            "2: rule 'r': for: '99999 windows' is",
        ),
    ],
)
def test_what_is_meant_otherwise_gets_its_sentence(file: Path, text: str, said: str) -> None:
    assert refused(file, f"model: a\n{text}\n").splitlines()[0].startswith(said)


def test_a_ratio_says_what_the_percentage_would_be_and_a_load_may_be_above_one(file: Path) -> None:
    assert refused(file, "model: a\nrules: [{name: cpu-high, above: 90}]").endswith("90 is not; 0.9 is 90 %")
    override = "{name: cpu-high, overrides: [{match: {scope: host}, above: 95}]}"
    assert refused(file, f"model: a\nrules: [{override}]").endswith("95 is not; 0.95 is 95 %")
    condition = "{name: latency-high, while: [{metric: cpu_utilization_ratio, above: 50}]}"
    said = refused(file, f"model: a\nserver: {{url: 'http://h'}}\nrules: [{condition}]")
    assert said.endswith("while: cpu_utilization_ratio is a ratio, from 0 to 1, and 50 is not; 0.5 is 50 %")
    assert taken(file, "model: a\nrules: [{name: r, metric: load1_ratio, above: 4}]").rules[0].above is not None


@pytest.mark.parametrize(
    ("written", "environment", "value"),
    [
        ("${A:-${B:-x}}", {}, "x"),
        ("${A:-${B:-x}}", {"B": "b"}, "b"),
        ("${A:-${B:-x}}", {"A": "a", "B": "b"}, "a"),
        ("${A:-${B}}-${C:-}", {"B": "b"}, "b-"),
        ("${A:-http://${HOST:-h}:${PORT:-1}/}", {"PORT": "2"}, "http://h:2/"),
        ("${A:-$${B}}", {}, "${B}"),
        ("$$NAME", {}, "$NAME"),
        ("a$NAME", {}, "a$NAME"),
        ("^a$", {}, "^a$"),
    ],
)
def test_a_default_may_hold_further_variables(written: str, environment: dict[str, str], value: str) -> None:
    document = parse(f"a: '{written}'", environment)
    assert (document.value, document.problems) == ({"a": value}, [])


@pytest.mark.parametrize("written", ["${A:-${B:-x}", "${A:-${B}}", "${A:-" * 20 + "x" + "}" * 20, "${A"])
def test_a_variable_that_does_not_end_or_is_not_set_is_refused(written: str) -> None:
    assert len(parse(f"a: '{written}'", {}).problems) == 1


def test_a_variable_that_holds_no_text_is_named_and_not_shown(file: Path) -> None:
    said = refused(file, "model: a\npublic_url: '${ODD}'", ODD="a\ud800hunter2")
    assert said.splitlines()[0] == "2: environment variable ODD is not UTF-8 text"
    assert "hunter2" not in said


def test_keys_that_begin_with_x_are_a_place_for_anchors(file: Path) -> None:
    config = taken(file, "x-common: &c {every: 2h}\nmodel: a\nwindows: {<<: *c, min_rows: 3}\nx-2: [1]\n")
    assert (config.models[0].windows.every, config.models[0].windows.min_rows) == (7200.0, 3)
    assert refused(file, "model: a\nwindows: {x-a: 1}").startswith("2: unknown key 'x-a' in windows")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, 1e12, "1" * 101 + "s", "9" * 60 + "d", "-5m"])
def test_a_duration_is_a_number_of_seconds_that_somebody_lives_to_see_the_end_of(value: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        seconds(value)


def test_a_limit_beyond_64_bits_is_refused(file: Path) -> None:
    assert "limits.string_length" in refused(file, "model: a\nlimits: {string_length: 9223372036854775808}")


@pytest.mark.parametrize("key", ["body_bytes", "rows", "features", "string_length", "queue_bytes"])
def test_a_limit_that_no_decoder_takes_is_refused_also_from_the_environment(file: Path, key: str) -> None:
    assert f"limits.{key}" in refused(file, f'model: a\nlimits: {{{key}: "${{N}}"}}', N="9" * 30)


@pytest.mark.parametrize("text", ["listen: '127.0.0.1:²'", "listen: '127.0.0.1:٣'", f"listen: 'a:{'9' * 5000}'"])
def test_a_port_is_written_in_the_digits_0_to_9(file: Path, text: str) -> None:
    assert "is no address; write host:port" in refused(file, f"model: a\n{text}")


@pytest.mark.parametrize("text", ["٣h", "²s", "１５m"])
def test_a_duration_is_written_in_the_digits_0_to_9(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        seconds(text)


def test_what_is_shown_of_a_variable_is_its_name_and_not_its_default() -> None:
    document = parse("a: x-${A:-hunter2-${B:-hunter3}}-${C}-$${D}", {"C": "c"})
    assert document.value == {"a": "x-hunter2-hunter3-c-${D}"}
    assert document.written == {("a",): "x-${A}-${C}-$${D}"}
    assert "hunter" not in str(document.filled.values())


def test_a_whole_number_that_python_can_not_write_is_refused(file: Path) -> None:
    said = refused(file, f"model: a\nlimits: {{rows: 0x{'f' * 5000}}}")
    assert said == "2: not valid YAML: a number in it is out of range"
