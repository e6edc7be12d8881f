"""The stack of deploy/compose: valid by the Compose Specification, hardened, whole, and read by each part's own tool.

Grafana can't be had here: its provisioning files are held to the keys and types that its documentation names, no more.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from grafana.__main__ import FOLDER as DASHBOARDS
from monitor.demo.data import reference_path
from tests.deploy.compose import FOLDER, SERVICES, SPEC, environment, mounts, secrets
from tests.needs import program
from tests.servers.prometheus import promtool

ROOT = FOLDER.parent.parent
SCHEMA = Draft202012Validator(json.loads((Path(__file__).parent / "schemas" / "compose-spec.json").read_text()))
OWN = {"prepare", "model", "replay", "watchkeeper"}
DATASOURCE: dict[str, Any] = {
    "name": str, "type": str, "access": str, "orgId": int, "uid": str, "url": str, "user": str, "database": str,
    "basicAuth": bool, "basicAuthUser": str, "withCredentials": bool, "isDefault": bool, "jsonData": dict,
    "secureJsonData": dict, "version": int, "editable": bool,
}  # fmt: skip
"""https://grafana.com/docs/grafana/latest/administration/provisioning/#example-data-source-configuration-file"""
PROVIDER: dict[str, Any] = {
    "name": str, "orgId": int, "folder": str, "folderUid": str, "type": str, "disableDeletion": bool,
    "updateIntervalSeconds": int, "allowUiUpdates": bool, "options": dict,
}  # fmt: skip
"""The same page, #dashboards."""


def loaded(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return read


def test_it_is_as_the_specification_has_it() -> None:
    assert [f"{list(error.absolute_path)}: {error.message}" for error in SCHEMA.iter_errors(SPEC)] == []


def test_a_misspelt_key_would_be_found() -> None:
    assert list(SCHEMA.iter_errors({"services": {"a": {"image": "a", "read_onyl": True}}}))


@pytest.mark.parametrize("name", SERVICES)
def test_each_runs_without_rights_for_this_machine_only(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    repository, _, tag = service["image"].partition(":")
    assert repository and tag[-1].isdigit() and "." in tag, "a version, not a moving tag"
    assert environment(name) is not None, "the example has every secret"


@pytest.mark.parametrize("name", SERVICES)
def test_what_each_mounts_and_waits_for_is_there(name: str) -> None:
    service = SERVICES[name]
    for mount in mounts(name):
        if isinstance(mount.source, Path):
            assert mount.source.exists(), mount.source
            assert not mount.writable
        else:
            assert mount.source in SPEC["volumes"]
    if "build" in service:
        assert (FOLDER / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    for other, how in service.get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert SERVICES[other]["restart"] == "no", "it ends"


def test_the_demo_s_image_copies_what_is_there_and_let_through() -> None:
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    copies = [line.split()[1:-1] for line in (FOLDER / "Dockerfile").read_text().splitlines() if line[:5] == "COPY "]
    for source in (name for names in copies for name in names):
        assert (ROOT / source).exists() and f"!{source}" in ignored, source


def test_watchkeeper_reads_the_reference_that_is_prepared() -> None:
    (volume,) = {mount.target for name in OWN for mount in mounts(name) if mount.source == "demo"}
    assert loaded(FOLDER / "watchkeeper.yaml")["reference"] == str(reference_path(Path(volume)))


def test_prometheus_and_alertmanager_take_their_configuration(tmp_path: Path) -> None:
    for mount in mounts("prometheus"):
        if isinstance(mount.source, Path):
            (tmp_path / Path(mount.target).name).write_bytes(mount.source.read_bytes())
    told = promtool("check", "config", str(tmp_path / "prometheus.yml"))
    assert (told.returncode, told.stderr) == (0, ""), told.stdout + told.stderr
    command = [program("amtool", "prometheus-alertmanager"), "check-config", str(FOLDER / "alertmanager.yml")]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (checked.returncode, "SUCCESS" in checked.stdout) == (0, True), checked.stdout + checked.stderr


def strange(item: dict[str, Any], known: dict[str, Any]) -> list[str]:
    """The keys that the documentation does not name, or whose value is of another type."""
    return [key for key, value in item.items() if key not in known or type(value) is not known[key]]


@pytest.mark.parametrize("file", [FOLDER / "datasources.yaml", ROOT / "grafana" / "provisioning" / "datasources.yaml"])
def test_the_data_sources_are_as_grafana_s_documentation_has_them(file: Path) -> None:
    found = loaded(file)
    assert (found.keys(), found["apiVersion"]) == ({"apiVersion", "datasources"}, 1)
    for source in found["datasources"]:
        assert strange(source, DATASOURCE) == []
        assert source.keys() >= {"name", "type", "access"}
    assert strange({"urll": "x", "isDefault": "true"}, DATASOURCE) == ["urll", "isDefault"]


def test_the_stack_s_prometheus_is_the_one_of_the_shipped_provisioning() -> None:
    (shipped,) = loaded(ROOT / "grafana" / "provisioning" / "datasources.yaml")["datasources"]
    own = {source["type"]: source for source in loaded(FOLDER / "datasources.yaml")["datasources"]}
    assert {**own["prometheus"], "url": ""} == {**shipped, "url": ""}
    interval = loaded(FOLDER / "prometheus.yml")["global"]["scrape_interval"]
    assert own["prometheus"]["jsonData"]["timeInterval"] == interval
    for source in own.values():
        host, port = source["url"].removeprefix("http://").split(":")
        assert f"127.0.0.1:{port}:{port}" in SERVICES[host]["ports"]


def test_the_dashboards_are_where_their_provider_looks() -> None:
    by_target = {mount.target: mount.source for mount in mounts("grafana")}
    provisioned = by_target["/etc/grafana/provisioning/dashboards/watchkeeper.yaml"]
    assert isinstance(provisioned, Path)
    found = loaded(provisioned)
    assert (found.keys(), found["apiVersion"]) == ({"apiVersion", "providers"}, 1)
    (provider,) = found["providers"]
    assert strange(provider, PROVIDER) == []
    assert by_target[provider["options"]["path"]] == DASHBOARDS.resolve()


def test_no_secret_has_a_value_of_its_own_in_the_stack() -> None:
    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    for name, value in secrets().items():
        assert f"${{{name}:?" in text
        assert value not in text
