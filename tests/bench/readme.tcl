# Writes the figures of the last run into README.md: `make bench-readme`.
#
#   tclsh tests/bench/readme.tcl build/bench.json README.md
#
# They are ratios, and stand between two marks, which are put at the end of the
# section "How fast" where there are none yet. What was not measured is
# left out.
package require Tcl 8.6
package require sqlite3

# The title of a ratio (targets.tcl), and what README.md calls its two sides.
set shown {
  "into a local table, wall, 20 ms, pages of 1,000"
    "a sub-ledger into a local table" "the official Python client"
  "into a local table, wall, 20 ms, page-span"
    "the same, the ledger's pages not yet loaded" "the official Python client"
  "lookups by join, ascending, 20 ms"
    "entries by a join, ids ascending" "the official Python client"
  "lookups by join, random, 20 ms"
    "entries by a join, ids in no order" "the official Python client"
  "receipts verified, 20 ms"
    "receipts fetched and verified" "the official Python client"
  "appends, any order, 20 ms"
    "appends, `append_order` = `any`" "`strict`"
  "scan, wall, 20 ms, pages of 1,000"
    "a scan" "its pages one after another, unread"
}
set first "<!-- by make bench-readme -->"
set last "<!-- end -->"
set section "\n## Where next\n"

proc file_text file {
  set f [open $file]
  fconfigure $f -encoding utf-8
  set text [read $f]
  close $f
  return $text
}

lassign $argv json_file readme_file
set json [file_text $json_file]
set readme [file_text $readme_file]
sqlite3 db :memory:

set block [list $first "How many times as fast, 20 ms away from a ledger (`make bench`):" \
  "" "| | against | |" "|---|---|---:|"]
foreach {title what against} $shown {
  db eval {
    SELECT value->>'ratio' AS ratio, value->>'condition' AS condition
      FROM json_each($json, '$.ratios')
     WHERE value->>'title' = $title AND ratio IS NOT NULL
  } {
    if {$condition eq "<="} { set ratio [expr {1 / $ratio}] }
    lappend block "| $what | $against | [format [expr {
      $ratio < 10 ? "%.1f" : "%.0f"}] $ratio] |"
  }
}
lappend block $last
set block [join $block \n]

set from [string first $first $readme]
set to [string first $last $readme $from]
if {$from >= 0 && $to > $from} {
  set readme [string replace $readme $from [expr {$to + [string length $last] - 1}] \
    $block]
} else {
  set at [string first $section $readme]
  if {$at < 0} { error "$readme_file has neither the marks nor their place" }
  set readme [string range $readme 0 $at-1]\n$block\n[string range $readme $at end]
}
set f [open $readme_file w]
fconfigure $f -encoding utf-8
puts -nonewline $f $readme
close $f
