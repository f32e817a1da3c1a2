#!/usr/bin/python3
"""compare.py for many pairs in one process, because starting Python takes longer than judging.

Reads JSON lines {"original", "masked", "regions": [[x, y, width, height], ...], "frames": "1-5,9", "allow": [...]} and answers each with compare.py's findings.
A decoder that crashes takes the judgements after it along: the caller counts the answers, and asks again for those behind the case without one.
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compare  # noqa: E402
import decode  # noqa: E402


def judge(case):
    try:
        return compare.compare(case["original"], case["masked"], case["regions"], case.get("frames"), case.get("allow", ()))
    except Exception as reason:
        return {"problems": [f"cannot judge: {type(reason).__name__}: {reason}"]}


if __name__ == "__main__":
    compare.decode = lambda paths: [decode.decode(path) for path in paths]
    for line in sys.stdin:
        print(json.dumps(judge(json.loads(line))), flush=True)
