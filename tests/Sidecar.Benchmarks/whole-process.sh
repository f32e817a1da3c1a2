#!/bin/bash
# Measures `sidecar mask` as whole processes, in one run with its floor (copying the files; their SHA-256 before and after) and with the
# peers that Debian has. Usage: whole-process.sh [DIR [SET...]]: DIR keeps the sets (800 MB) for the next run.
# Needs: hyperfine, openssl, dcmtk, libgdcm-tools, python3-pydicom, python3-numpy, time; a Release build of Sidecar.sln.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
sidecar=$root/sidecar/Sidecar/bin/Release/net10.0/sidecar
sets=$(mkdir -p "${1:-${TMPDIR:-/tmp}/sidecar-benchmark-sets}" && cd "${1:-${TMPDIR:-/tmp}/sidecar-benchmark-sets}" && pwd)
shift || true
wanted=("$@")
((${#wanted[@]})) || wanted=(ct us us_rle us_jpg dx_ljpg dx_jls dx_j2k)
declare -A region=([ct]=4,4,220,44 [us]=4,4,400,50 [dx]=50,50,900,200)
for program in hyperfine gdcmconv dcmcjpeg "$sidecar"; do
    command -v "$program" >/dev/null || { echo "whole-process.sh: $program is missing" >&2; exit 1; }
done

cd "$sets"
[[ -e complete ]] || {
    "$here/bin/Release/net10.0/sidecar-benchmarks" sets .
    mkdir -p us_rle us_jpg dx_ljpg dx_jls dx_j2k
    gdcmconv --rle us/us.dcm us_rle/us.dcm
    dcmcjpeg +eb +q 90 us/us.dcm us_jpg/us.dcm
    for file in dx/*.dcm; do
        gdcmconv --jpeg "$file" "dx_ljpg/${file#dx/}"
        gdcmconv --jpegls "$file" "dx_jls/${file#dx/}"
        gdcmconv --j2k "$file" "dx_j2k/${file#dx/}"
    done
    touch complete
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "$(nproc) processors, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1); load $(cut -d' ' -f1 /proc/loadavg)"
for set in "${wanted[@]}"; do
    box=${region[${set%%_*}]}
    IFS=, read -r x y width height <<<"$box"
    rm -rf "$work/masked"
    /usr/bin/time -f %M -o "$work/rss" "$sidecar" mask "$set" --region "$box" --out "$work/masked" --results "$work/results" 2>"$work/log" \
        || { tail -n 3 "$work/log" >&2; exit 1; }
    hyperfine --style none --warmup 1 --runs 5 --export-json "$work/times.json" --prepare "rm -rf $work/out" \
        -n sidecar "$sidecar mask $set --region $box --out $work/out --results $work/results" \
        -n 'copy (floor)' "cp -r $set $work/out" \
        -n 'SHA-256 of both (floor)' "openssl dgst -sha256 $set/* & openssl dgst -sha256 $work/masked/* & wait" >"$work/log" 2>&1
    # The peers are slow: twice is enough. Both give compressed images back uncompressed.
    hyperfine --style none --warmup 0 --runs 2 --export-json "$work/peers.json" --prepare "rm -rf $work/out && mkdir $work/out" -i \
        -n gdcmimg "for f in $set/*; do gdcmimg -F 0 -R $x,$((x + width)),$y,$((y + height)) -i \$f -o $work/out/\$(basename \$f); done" \
        -n pydicom "/usr/bin/python3 $here/peer_pydicom.py $set $work/out $x $y $width $height" >>"$work/log" 2>&1
    /usr/bin/python3 - "$set" "$work" "$(du -sm "$set" | cut -f1)" "$(du -sb "$set" | cut -f1)" "$(du -sb "$work/masked" | cut -f1)" <<'PYTHON'
import json, sys
name, work, size, before, after = sys.argv[1:]
runs = [run for part in ("times", "peers") for run in json.load(open(f"{work}/{part}.json"))["results"]]
print(f"{name} ({size} MB, result {100 * (int(after) / int(before) - 1):+.2f} %, {int(open(work + '/rss').read()) // 1024} MB resident)")
for run in runs:
    failed = "" if not any(run["exit_codes"]) else "  (ended with an error)"
    print(f"  {run['command']:<24} {run['min']:6.2f} s   processor time {run['user'] + run['system']:6.2f} s{failed}")
PYTHON
done
