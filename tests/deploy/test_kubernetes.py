"""The manifests of deploy/kubernetes: valid by Kubernetes' own schemas, what kustomize makes of them, and the config in
them read as the daemon reads it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from monitor.config.errors import ConfigError
from monitor.config.load import load
from tests.needs import absent

DEPLOY = Path(__file__).parent.parent.parent / "deploy" / "kubernetes"
RELEASES = ("1.29", "1.33")
"""Of Kubernetes: the first with native sidecars, and a recent one."""
FOREIGN = {"monitoring.coreos.com", "kustomize.config.k8s.io"}
"""Groups whose kinds are not Kubernetes' own."""
WAYS = ("sidecar", "central")


def documents(text: str) -> Iterator[dict[str, Any]]:
    yield from (document for document in yaml.safe_load_all(text) if document)


def manifests() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for path in sorted(DEPLOY.rglob("*.yaml")):
        for document in documents(path.read_text()):
            if "kind" in document and document["apiVersion"].split("/")[0] not in FOREIGN:
                found.append((f"{path.parent.name}/{path.name}:{document['kind']}", document))
    return found


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(("name", "document"), manifests(), ids=[name for name, _ in manifests()])
def test_every_manifest_passes_its_published_schema(name: str, document: dict[str, Any], release: str) -> None:
    kubernetes_validate.validate(document, release, strict=True)


def test_a_misspelt_key_would_be_found() -> None:
    broken = next(document for name, document in manifests() if name.startswith("sidecar/") and "Deployment" in name)
    broken = {**broken, "spec": {**broken["spec"], "replica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, RELEASES[0], strict=True)


def pod(way: str) -> dict[str, Any]:
    for document in documents((DEPLOY / way / "deployment.yaml").read_text()):
        if document["kind"] == "Deployment":
            spec: dict[str, Any] = document["spec"]["template"]
            return spec
    raise AssertionError(f"{way} has no Deployment")


def watchkeeper(way: str) -> dict[str, Any]:
    spec = pod(way)["spec"]
    containers = [*spec.get("initContainers", ()), *spec["containers"]]
    found: dict[str, Any] = next(container for container in containers if container["name"] == "watchkeeper")
    return found


@pytest.mark.parametrize("way", WAYS)
def test_it_runs_without_rights_on_a_root_that_can_not_be_written(way: str) -> None:
    container, spec = watchkeeper(way), pod(way)["spec"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    volumes = {volume["name"] for volume in spec["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    assert {probe: container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe")} == {
        "startupProbe": "/readyz",
        "readinessProbe": "/readyz",
    }


def test_the_sidecar_is_a_native_one() -> None:
    [container] = pod("sidecar")["spec"]["initContainers"]
    assert (container["name"], container["restartPolicy"]) == ("watchkeeper", "Always")


def test_the_operator_finds_both() -> None:
    [monitor] = documents((DEPLOY / "pod-monitor.yaml").read_text())
    for way in WAYS:
        labels = pod(way)["metadata"]["labels"]
        assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
        [port] = watchkeeper(way)["ports"]
        assert port["name"] == monitor["spec"]["podMetricsEndpoints"][0]["port"]


@pytest.mark.parametrize("folder", ["base", "central"])
def test_their_config_is_one_that_watchkeeper_takes(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    [secret] = documents((DEPLOY / "base" / "secret.yaml").read_text())
    for name, value in secret["stringData"].items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match="at least 16 are needed"):  # nobody watches with an example's tokens
        load(DEPLOY / folder / "watchkeeper.yaml")
    for name in ("INGEST_TOKEN", "ADMIN_TOKEN"):
        monkeypatch.setenv(name, f"{name}-of-somebody")
    config = load(DEPLOY / folder / "watchkeeper.yaml")
    assert config.listen == "0.0.0.0:9797"
    assert config.database == "sqlite:////var/lib/watchkeeper/watchkeeper.db"
    mounts = {mount["mountPath"] for mount in watchkeeper("sidecar" if folder == "base" else "central")["volumeMounts"]}
    assert {"/etc/watchkeeper", "/var/lib/watchkeeper"} <= mounts


@pytest.mark.parametrize("way", WAYS)
def test_what_kustomize_makes_is_valid_and_mounts_the_config_that_belongs_to_it(way: str) -> None:
    kubectl = shutil.which("kubectl") or absent("kubectl, with kustomize in it, is not installed")
    made = subprocess.run([kubectl, "kustomize", str(DEPLOY / way)], capture_output=True, text=True, check=True)
    found = list(documents(made.stdout))
    for document in found:
        kubernetes_validate.validate(document, RELEASES[-1], strict=True)
    kinds = {document["kind"]: document for document in found}
    wanted = {"ConfigMap", "Secret", "Deployment", "PersistentVolumeClaim", "NetworkPolicy"}
    assert kinds.keys() == wanted | ({"Service"} if way == "central" else set())
    config = kinds["ConfigMap"]
    volumes = kinds["Deployment"]["spec"]["template"]["spec"]["volumes"]
    assert {"name": "config", "configMap": {"name": config["metadata"]["name"]}} in volumes
    own = DEPLOY / ("central" if way == "central" else "base") / "watchkeeper.yaml"
    assert config["data"] == {"watchkeeper.yaml": own.read_text()}
