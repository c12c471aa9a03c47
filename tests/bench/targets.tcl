# What the figures are to reach, as ratios within one run: title, what it is set
# against, the condition, and the ratio of lines of the table.
#
# A line is named WORK MS PAGES CONTENDER. wall, cpu (seconds) and rss (MiB) are its
# medians; net is wall without the start of that contender (work start at 0 ms),
# each is net per row; most is the most of a count (requests, pages, receipts).

proc figure {field work ms kind contender {which median}} {
  foreach line $::lines {
    if {[dict get $line work] eq $work && [dict get $line ms] == $ms
        && [dict get $line kind] eq $kind
        && [dict get $line contender] eq $contender} {
      if {[dict exists $line $field]} {
        set value [dict get $line $field]
        if {$field in {rows text}} { return $value }
        return [dict get $value $which]
      }
      foreach why {skipped error} {
        if {[dict exists $line $why]} {
          error [expr {$why eq "error" ? "error: [dict get $line error]"
                                       : [dict get $line skipped]}]
        }
      }
    }
  }
  error "not measured"
}
foreach field {wall cpu rss text} {
  proc $field args [format { figure %s {*}$args } $field]
}
proc most {field args} { figure $field {*}$args max }
proc less_start {field work ms kind contender} {
  expr {max(1e-6, [figure $field $work $ms $kind $contender]
                  - [figure $field start 0 page $contender])}
}
proc net args { less_start wall {*}$args }
proc work_cpu args { less_start cpu {*}$args }
proc each args { expr {[net {*}$args] / [figure rows {*}$args]} }

set targets {}
proc target {title against condition limit ratio} {
  lappend ::targets [list $title $against $condition $limit $ratio]
}

target "scan, wall, 20 ms, pages of 1,000" "floor, one connection" <= 0.35 {
  [wall scan 20 page module] / [wall scan 20 page floor]}
target "scan, wall, 20 ms, page-span" "floor, one connection" <= 0.2 {
  [wall scan 20 span module] / [wall scan 20 span floor]}
target "into a local table, wall, 20 ms, pages of 1,000" "Python" >= 8 {
  [wall table 20 page python] / [wall table 20 page module]}
target "into a local table, wall, 20 ms, page-span" "Python" >= 8 {
  [wall table 20 span python] / [wall table 20 span module]}
target "scan, client CPU without start, 0 ms" "floor's CPU" <= 4.5 {
  [work_cpu scan 0 page module] / [cpu scan 0 page floor]}
target "scan, client CPU without start, 20 ms" "floor's CPU" <= 4.5 {
  [work_cpu scan 20 page module] / [cpu scan 20 page floor]}
target "lookups by join, ascending, 20 ms" "Python, one by one" >= 20 {
  [each in 20 page python] / [each join 20 page module]}
target "lookups by join, random, 20 ms" "Python, one by one" >= 8 {
  [each in 20 page python] / [each random 20 page module]}
foreach {work subs limit} {newest3 3 6 newest40 40 12} {
  target "newest 10 of $subs sub-ledgers, 100 ms" "round trips" <= $limit [string map \
    [list %WORK $work] {([wall %WORK 100 page connected]
      - [wall start 100 page connected]) / ([text trip 100 page floor] / 1e6)}]
  target "the same as a process's first statement" "round trips" <= $limit [string map \
    [list %WORK $work] {[net %WORK 100 page module]
      / ([text trip 100 page floor] / 1e6)}]
}
foreach subs {3 40} {
  target "count(*) over $subs sub-ledgers, wall, 20 ms" "their pages in turn" <= 0.25 \
    [string map [list %WORK count$subs] {
      [wall %WORK 20 page module] / [wall %WORK 20 page floor]}]
}
target "receipts verified, 20 ms" "Python" >= 20 {
  [each verified 20 page python] / [each verified 20 page module]}
target "appends, any order, 20 ms" "strict" >= 10 {
  [each strict 20 page module] / [each any 20 page module]}
target "second scan, sum(length), history kept" "a plain table" <= 3 {
  [net again 0 page connected] / [net again 0 page local]}
target "second scan, SELECT *, history kept" "a plain table" <= 3 {
  [net again_all 0 page connected] / [net again_all 0 page local]}
target "its page requests" "the tail only" <= 3 {[most pages again 0 page module]}
target "second look at receipts, receipt requests" "none" <= 0 {
  [most receipts verified_again 20 page module]}
target "second look at receipts, verified a second" "" >= 15000 {
  1 / [each verified_again 0 page module]}
target "second ledger_audit, receipt requests" "none" <= 0 {
  [most receipts audit_again 0 page module]}
target "second ledger_audit, verified a second" "" >= 15000 {
  1 / [each audit_again 0 page module]}
foreach {work title} {scan "counted" table "into a table" again "history kept"} {
  target "peak memory in MiB, many rows, $title" "1,000 rows" <= 16 [string map \
    [list %WORK $work] {[rss %WORK 0 page module] - [rss %WORK 100 page module]}]
}

# Each target with its ratio and whether that is reached, or with why there is none.
proc targets_judged {} {
  lmap target $::targets {
    lassign $target title against condition limit ratio
    set judged [dict create title $title against $against \
      condition $condition limit $limit]
    if {[catch { expr double($ratio) } value]} {
      dict set judged missing $value
    } else {
      dict set judged ratio $value
      dict set judged reached [expr "$value $condition $limit"]
    }
    set judged
  }
}
