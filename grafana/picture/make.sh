#!/bin/sh
# Draws the Model dashboard over the demo's own series, with Grafana's own components, into docs/img/grafana-model.png.
# Needs node, npm (@grafana/ui is 400 MB), chromium and Prometheus; takes a few minutes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work"
[ -e "$work/board.json" ] || (cd "$root" && .venv/bin/python -m grafana.picture.series "$work")
cp "$here/draw.tsx" "$work"
cd "$work"
npm install --silent --no-save --no-audit --no-fund --legacy-peer-deps \
  @grafana/ui@11.6.0 @grafana/data@11.6.0 react@18 react-dom@18 esbuild@0.25
npx esbuild draw.tsx --bundle --jsx=automatic --format=iife --outfile=draw.js --log-level=error \
  --define:process.env.NODE_ENV='"production"' --loader:.svg=dataurl --loader:.ttf=dataurl
printf '<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="draw.css"><body><div id="root"></div><script src="draw.js"></script>' >index.html
chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 \
  --user-data-dir="$work/profile" --allow-file-access-from-files --virtual-time-budget=20000 \
  --window-size="1500,$(cat height)" --screenshot="$work/model.png" "file://$work/index.html"
mkdir -p "$root/docs/img"
"$root/.venv/bin/python" -c 'import sys; from PIL import Image
Image.open(sys.argv[1]).convert("RGB").quantize(128).save(sys.argv[2], optimize=True)' \
  "$work/model.png" "$root/docs/img/grafana-model.png"
