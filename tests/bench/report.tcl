# What is shown while it runs, and written at the end: build/bench.json,
# build/bench.md, and (readme.tcl) the block in README.md.

set columns {
  "work" 46 "ms" 4 "pages" 5 "by" 9 "rows" 8 "n" 2 "wall s (min max)" 24
  "CPU s" 7 "rows/s" 8 "MiB" 6 "emu" 5 "req" 6
}

proc report_row {cells {gap "  "}} {
  set out {}
  foreach cell $cells {name width} $::columns {
    set left [expr {$name in {work pages by}}]
    lappend out [format [expr {$left ? "%-*s" : "%*s"}] $width $cell]
  }
  return [string trimright [join $out $gap]]
}

proc report_begin {} {
  puts [report_row [dict keys $::columns]]
}

proc seconds value { format [expr {$value < 10 ? "%.3f" : "%.1f"}] $value }

# The cells of a line; one that has no figures says why.
proc report_cells line {
  dict with line {}
  set title [spec $work title]
  set head [list $title $ms $kind $contender]
  foreach why {skipped error} {
    if {[info exists $why]} {
      set said [lindex [split [string trim [set $why]] \n] 0]
      return [concat $head [list "$why: [string range $said 0 200]"]]
    }
  }
  set s [dict get $wall median]
  concat $head [list $rows $runs \
    "[seconds $s] ([seconds [dict get $wall min]] [seconds [dict get $wall max]])" \
    [seconds [dict get $cpu median]] \
    [expr {$rows > 0 ? [format %.0f [expr {$rows / $s}]] : ""}] \
    [format %.1f [dict get $rss median]] \
    [format %.0f%% [expr {100 * [dict get $emulator median] / $s}]] \
    [format %.0f [dict get $requests median]]]
}

proc report_line line {
  set cells [report_cells $line]
  if {[llength $cells] == 5} {
    set shown [report_row [lrange $cells 0 3]]
    puts "$shown  [lindex $cells 4]"
  } else {
    puts [report_row $cells]
  }
}

proc verdict judged {
  dict with judged {}
  if {[info exists missing]} { return [list "" $missing] }
  list [format [expr {abs($ratio) >= 100 ? "%.0f" : "%.3f"}] $ratio] \
    [expr {$reached ? "reached" : "NOT REACHED"}]
}

proc report_end took {
  set judged [targets_judged]
  puts ""
  foreach target $judged {
    lassign [verdict $target] ratio word
    puts [format "%-52s %-22s %8s  %2s %-6s %s" [dict get $target title] \
      [dict get $target against] $ratio [dict get $target condition] \
      [dict get $target limit] $word]
  }
  puts "\n[report_versions]"
  puts "in $took s; build/bench.json, build/bench.md"
  put build/bench.json [encoding convertto utf-8 [report_json $judged $took]]
  put build/bench.md [encoding convertto utf-8 [report_markdown $judged $took]]
}

# ---- JSON --------------------------------------------------------------------------

# A dictionary of numbers, texts and, one level down, dictionaries of numbers.
proc report_object {pairs {numbers {}}} {
  join [lmap {key value} $pairs {
    if {$key in $numbers} {
      set json $value
    } elseif {[string match "median *" $value]} {
      set json "{[report_object $value {median min max}]}"
    } else {
      set json [harness_db onecolumn { SELECT json_quote('' || $value) }]
    }
    set json [harness_db onecolumn { SELECT json_quote($key) }]:$json
  }] ,
}

proc report_json {judged took} {
  set numbers {ms rows runs ratio reached limit}
  set machine [report_object [list when [clock format [clock seconds] \
    -format %Y-%m-%dT%H:%M:%SZ -gmt 1] took $took arguments $::argv \
    cores [exec getconf _NPROCESSORS_ONLN] versions [report_versions]] {took cores}]
  set rows [lmap line $::lines { set text "{[report_object $line $numbers]}" }]
  set ratios [lmap each $judged { set text "{[report_object $each $numbers]}" }]
  return "{\"run\":{$machine},\n\"lines\":\[\n[join $rows ,\n]\n\],\n\"ratios\":\[\n[
    join $ratios ,\n]\n\]}\n"
}

# Who took part: what the module and the clients say of themselves (work start).
proc report_versions {} {
  join [lmap contender {module python js} {
    if {[catch { text start 0 page $contender } said]} continue
    set said
  }] ", "
}

# ---- Markdown ----------------------------------------------------------------------

proc report_markdown {judged took} {
  set out [list "# Bench" "" \
    "[report_versions]; [exec getconf _NPROCESSORS_ONLN] cores, $took s.\
     tests/bench/README.md says how to read this." "" \
    "| ratio | against | | target | |" "|---|---|---:|---|---|"]
  foreach target $judged {
    lassign [verdict $target] ratio word
    lappend out "| [dict get $target title] | [dict get $target against] | $ratio |\
      [dict get $target condition] [dict get $target limit] | $word |"
  }
  lappend out "" "| [join [dict keys $::columns] { | }] |" \
    "|[string repeat ---| [dict size $::columns]]"
  foreach line $::lines {
    lappend out "| [join [lmap cell [report_cells $line] {
      string map {| \\| \n { }} $cell
    }] { | }] |"
  }
  return [join $out \n]\n
}
