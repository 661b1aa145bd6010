#!/usr/bin/env bash
# Build the sample target: ./build.sh [OUTPUT]. -O1 keeps it quick, -g gives lines.
set -euo pipefail
cd "$(dirname "$0")"
output="${1:-build/sample}"
mkdir -p "$(dirname "$output")"
"${CXX:-g++}" -std=c++17 -O1 -g -fno-omit-frame-pointer -Wall -Wno-use-after-free \
  -Wno-maybe-uninitialized -Wno-uninitialized -pthread -o "$output" sample.cpp
echo "$output"
