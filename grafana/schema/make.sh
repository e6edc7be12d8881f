#!/bin/sh
# Makes grafana-10.schema.json and grafana-13.schema.json from the types that Grafana publishes as @grafana/schema
# (Apache-2.0). Needs node and npm.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/dashboard.ts" "$here/tsconfig.json" "$work"
cd "$work"
for version in 10.4.19 13.2.3; do
  npm install --silent --no-save --no-audit --no-fund "@grafana/schema@$version" ts-json-schema-generator@2.10.0
  npx ts-json-schema-generator --tsconfig tsconfig.json --path dashboard.ts --type ClassicDashboard \
    --expose none --jsDoc none --no-type-check --minify --out "$here/grafana-${version%%.*}.schema.json"
done
