"""Holds manifests (YAML on the standard input) against the schemas of these versions of Kubernetes, and prints them as JSON."""

import json
import sys

import kubernetes_validate
import yaml

manifests = [manifest for manifest in yaml.safe_load_all(sys.stdin) if manifest]
for version in sys.argv[1:]:
    for manifest in manifests:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            name = f"{manifest['kind']} {manifest['metadata']['name']}"
            path = ".".join(str(step) for step in error.path)
            sys.exit(f"{name}, Kubernetes {version}: {path}: {error.message}")
json.dump(manifests, sys.stdout)
