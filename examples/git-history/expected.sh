#!/bin/sh
# What the three tables must hold, computed from the repository by git and awk alone.
#
#   expected.sh REPO [COMMITS [REVISION]]      COMMITS: the newest so many; 0 or left out for all
#
# Tab-separated lines, sorted:
#   total  -  -  rows added deleted binary paths commits
#   group  author  month  rows added deleted binary paths
# `added` and `deleted` are sums over text files, `binary` counts files without line counts, `paths` and `commits` are
# distinct, `month` is that of the author's date in UTC (empty where it cannot be read). In authors \\ and \t stand for a
# backslash and a tab.
#
# Differs from produce.ts on purpose wherever git offers another way: lines instead of NULs, quoted paths, dates by git.
set -eu
repo=${1:?usage: expected.sh REPO [COMMITS [REVISION]]}
commits=${2:-0}
revision=${3:-HEAD}
export LC_ALL=C TZ=UTC0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

limit=
[ "$commits" -eq 0 ] || limit=--max-count=$commits

# Through a file and not a pipe: a failing git must fail the script.
git -C "$repo" -c core.quotePath=false -c i18n.logOutputEncoding=UTF-8 -c log.showSignature=false log $limit \
  --no-color --numstat --no-renames --no-ext-diff --no-textconv --submodule=short \
  --date=format-local:%Y-%m '--format=@%H%x09%ad%x09%an' --end-of-options "$revision" -- >"$dir/log"

awk '
  # Bytes that are not UTF-8 are read as Latin-1: each one above 0x7f becomes the two bytes of its character.
  function decode(text,    i, out, byte) {
    if (text ~ ascii || text ~ utf8) return text
    out = ""
    for (i = 1; i <= length(text); i++) {
      byte = substr(text, i, 1)
      out = out (byte in latin ? latin[byte] : byte)
    }
    return out
  }
  BEGIN {
    FS = "\t"
    tail = "[\200-\277]"
    ascii = "^[\001-\177]*$"
    utf8 = "^([\001-\177]|[\302-\337]" tail "|\340[\240-\277]" tail "|[\341-\354\356\357]" tail tail \
      "|\355[\200-\237]" tail "|\360[\220-\277]" tail tail "|[\361-\363]" tail tail tail "|\364[\200-\217]" tail tail ")*$"
    for (i = 128; i < 256; i++) latin[sprintf("%c", i)] = sprintf("%c%c", i < 192 ? 194 : 195, i < 192 ? i : i - 64)
  }
  /^@/ {
    hash = $1
    month = $2
    author = decode(substr($0, length($1) + length($2) + 3))
    gsub(/\\/, "&&", author)
    gsub(/\t/, "\\t", author)
    next
  }
  /^[0-9-]/ {
    path = decode(substr($0, length($1) + length($2) + 3))
    group = author "\t" month
    rows++
    groupRows[group]++
    if ($1 == "-") {
      binary++
      groupBinary[group]++
    } else {
      added += $1
      deleted += $2
      groupAdded[group] += $1
      groupDeleted[group] += $2
    }
    if (!(path in seenPath)) {
      seenPath[path] = 1
      paths++
    }
    if (!((group "\t" path) in seen)) {
      seen[group "\t" path] = 1
      groupPaths[group]++
    }
    if (hash != lastHash) {
      lastHash = hash
      commits++
    }
    next
  }
  $0 != "" { print "expected.sh: cannot read " $0 | "cat >&2"; failed = 1; exit }
  END {
    if (failed) exit 1
    printf "total\t-\t-\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\n", rows, added, deleted, binary, paths, commits
    for (group in groupRows)
      printf "group\t%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\n", group, groupRows[group], groupAdded[group], groupDeleted[group],
        groupBinary[group], groupPaths[group]
  }
' "$dir/log" >"$dir/unsorted"
sort "$dir/unsorted"
