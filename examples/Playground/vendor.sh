#!/usr/bin/env bash
# Fetches the plotting library that the page brings along (uPlot, MIT) and puts its built files in their place.
set -euo pipefail
version=1.6.32
cd "$(dirname "${BASH_SOURCE[0]}")/Page/vendor"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
npm pack "uplot@$version" --silent --pack-destination "$scratch" >/dev/null
tar -xzf "$scratch/uplot-$version.tgz" -C "$scratch"
cp "$scratch/package/dist/uPlot.iife.min.js" "$scratch/package/dist/uPlot.min.css" .
cp "$scratch/package/LICENSE" uPlot.LICENSE.txt
