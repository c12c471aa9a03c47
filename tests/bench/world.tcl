# The world of a line: a local ledger at its distance, with its pages, and what is
# known of its entries; runs in it.
#
# Sets, for works and contenders, the array ::world: work, ms, kind, entries,
# sub_ledgers (names), reference (a database with the ledger's entries), head (the
# last id), token_file.
#
# The reference is read once per ledger, near by, and held against what was asked
# of --fill:
#
#   entry(n, transaction_id, sub_ledger, contents)   in the order of their ids
#   id(n, id)                                        1,000 of them, ascending
#   shuffled(n, id)                                  1,000, in no order

# ---- open, close ---------------------------------------------------------------

proc world_open {work ms kind} {
  global works world testdir
  array unset world
  array set world [list work $work ms $ms kind $kind head "" sub_ledgers {} \
    reference "" first 1 token_file $testdir/token]
  set count [ledger_of $work $ms $kind]
  set world(entries) $count
  set subs [spec $work subs 1]
  set fresh [spec $work fresh 0]
  set keys [spec $work ledger_options {}]
  set data $testdir/[join [concat $count $subs $keys] -].db
  if {$fresh} {
    set data $testdir/fresh[incr ::world_fresh].db
  } elseif {$count} {
    set world(reference) [file rootname $data].reference
    if {![file exists $world(reference)]} {
      world_start $data [list entries $count sub_ledgers $subs loading 0 {*}$keys]
      world_reference $count $subs
      ledger_stop
    }
    harness_db eval { ATTACH $world(reference) AS reference }
    harness_db eval {
      SELECT transaction_id FROM reference.entry ORDER BY n DESC LIMIT 1
    } { set world(head) $transaction_id }
    set world(sub_ledgers) [harness_db eval {
      SELECT DISTINCT sub_ledger FROM reference.entry ORDER BY 1 }]
  }
  world_start $data [concat [list latency $ms] [expr {
    $kind eq "span" ? {page_span 100 loading 6} : {page 1000 loading 0}}] \
    $keys]
  ledger_requests_clear
}

proc world_close {} {
  ledger_stop_all
  catch { harness_db eval { DETACH reference } }
}

proc world_start {data options} {
  ledger_start -noattach [concat $options [list data $data]]
  world_token
}

# What clients that take a file read the token from.
proc world_token {} {
  global ledger testdir
  put $testdir/token $ledger(token)
  set ::env(LEDGER_EMULATOR_JSON) [harness_read $testdir/main/ready.json]
}

# Reads all that there is, by the module, into the reference.
proc world_reference {count subs} {
  set file $::world(reference)
  ledger_db reader $file
  reader eval [ledger_attach_sql]
  reader eval {
    CREATE TABLE entry(n INTEGER PRIMARY KEY, transaction_id TEXT,
                       sub_ledger TEXT, contents TEXT);
    INSERT INTO entry(transaction_id, sub_ledger, contents)
      SELECT transaction_id, sub_ledger, contents FROM ledger_entries
       ORDER BY seqno;
    CREATE TABLE id(n INTEGER PRIMARY KEY, id TEXT);
    INSERT INTO id(id) SELECT transaction_id FROM entry
      WHERE (n - 1) % max(1, (SELECT count(*) FROM entry) / 1000) = 0
      ORDER BY n LIMIT 1000;
    CREATE TABLE shuffled(n INTEGER PRIMARY KEY, id TEXT);
    INSERT INTO shuffled(id) SELECT transaction_id FROM entry
      ORDER BY n * 2654435761 % 4294967296 LIMIT 1000;
  }
  set found [reader eval {SELECT count(*), count(DISTINCT sub_ledger),
    count(DISTINCT contents) FROM entry}]
  reader close
  unset ::harness_handle(reader)
  if {$found ne [list $count $subs $count]} {
    file delete $file
    error "the reference has $found of $count entries in $subs sub-ledgers"
  }
}

# ---- what a work asks for --------------------------------------------------------

# A field of a work, or a default.
proc spec {work field {default ""}} {
  set spec [dict get $::works $work]
  expr {[dict exists $spec $field] ? [dict get $spec $field] : $default}
}

# A value that may differ from place to place: a list of pattern and value, the
# pattern being that of `MS KIND`; the first that fits.
proc at_place {list ms kind {default ""}} {
  if {[llength $list] == 1} { return [lindex $list 0] }
  foreach {pattern value} $list {
    if {[string match $pattern "$ms $kind"]} { return $value }
  }
  return $default
}

# Distances and kinds of pages at which a work is done: a flat list. Quickly: near
# by, and pages that are loading for scans alone.
proc places_of work {
  set places [spec $work places {0 page 20 page 100 page 0 span 20 span 100 span}]
  if {!$::quick || $work in $::always} { return $places }
  set few {}
  foreach {ms kind} $places {
    if {$ms == 100 && [llength $places] > 2} continue
    if {$kind eq "span" && !($work in {scan table} && $ms == 20)} continue
    lappend few $ms $kind
  }
  return $few
}

# The rows that a contender does there: fewer where they go one after another, far
# away or quickly.
proc rows_of {work contender ms kind} {
  set rows [at_place [spec $work rows] $ms $kind]
  set in_turn [spec $work in_turn 0]
  if {$contender in {python js} && [spec $work slow] ne ""} {
    set rows [at_place [spec $work slow] $ms $kind $rows]
    set in_turn 1
  }
  if {$::quick && $in_turn} { set rows [expr {max(10, $rows / 5)}] }
  if {$::full && $ms == 0 && $kind eq "page" && [spec $work million 0]} {
    set rows 1000000
  }
  return $rows
}

# The entries of its ledger.
proc ledger_of {work ms kind} {
  set entries [at_place [spec $work entries {}] $ms $kind]
  expr {$entries ne "" ? $entries : [rows_of $work module $ms $kind]}
}

# ---- runs ------------------------------------------------------------------------

# Ends a line that can't be measured here.
proc skip why { return -code error -errorcode {BENCH SKIP} $why }

# Of a process that has one thread, as the ledger; to the nanosecond, for a scan costs
# it less than one of the ticks that /proc/PID/stat counts.
proc seconds_of_cpu pid {
  expr {[lindex [harness_read /proc/$pid/schedstat] 0] / 1e9}
}

# A command, measured: its exit status, wall and cpu (seconds), rss (MiB), and text,
# what it wrote last.
proc measured command {
  global testdir
  lassign [exec timeout -k 5 900 build/bench/measure $testdir/out $testdir/err \
    {*}$command </dev/null] status wall cpu rss
  set text [string trim [harness_read $testdir/out]]
  set err [string trim [harness_read $testdir/err]]
  if {$status} { error "exit $status: [string range "$text $err" 0 400]" }
  dict create wall [expr {$wall / 1e6}] cpu [expr {$cpu / 1e6}] \
    rss [expr {$rss / 1024.0}] text [lindex [split $text \n] end]
}

# One run of a work by a contender, checked: what measured tells, and rows, emulator
# (its CPU seconds), requests, pages and receipts (requests for those).
proc world_run {work contender} {
  global world
  set ms $world(ms)
  set kind $world(kind)
  set rows [rows_of $work $contender $ms $kind]
  set argument [dict get [spec $work by] $contender]
  set key $work,$contender
  if {![info exists world(ready,$key)]} {
    contender_before $work $contender $rows
    set world(ready,$key) 1
  }
  # What was loaded for one must not be there for the next.
  if {$kind eq "span" && !$world(first)} {
    ledger_restart
    world_token
  }
  set world(first) 0
  set command [contender_$contender $work $argument $rows]
  set pid [dict get $::harness_emulator() pid]
  ledger_requests_clear
  set cpu [seconds_of_cpu $pid]
  set run [measured $command]
  dict set run emulator [expr {[seconds_of_cpu $pid] - $cpu}]
  dict set run rows $rows
  set state $::harness_emulator()
  set log [harness_read [dict get $state log] [dict get $state offset]]
  dict set run requests [regexp -all {"path":"} $log]
  dict set run pages [regexp -all {"GET","path":"/app/transactions"} $log]
  dict set run receipts [regexp -all {"GET","path":"[^"]*/receipt"} $log]
  set text [dict get $run text]
  set expected [expected_of $work $contender $rows]
  if {$expected ne "" && $text ne $expected} {
    error "wrong: $text instead of $expected"
  }
  return $run
}

# What the last line of the output has to be.
proc expected_of {work contender rows} {
  if {[info procs expected_$contender] ne ""} {
    set expected [expected_$contender $work $rows]
    if {$expected ne "default"} { return $expected }
  }
  set sql [spec $work expect]
  if {![string match SELECT* [string trim $sql]]} {
    return [string map [list %ROWS $rows] $sql]
  }
  return [harness_db onecolumn [string map [list %ROWS $rows] $sql]]
}

# Median, min and max of runs, by field.
proc line_of runs {
  set line [dict create runs [llength $runs]]
  foreach field {wall cpu rss emulator requests pages receipts} {
    set sorted [lsort -real [lmap run $runs { dict get $run $field }]]
    dict set line $field [dict create \
      median [lindex $sorted [expr {[llength $sorted] / 2}]] \
      min [lindex $sorted 0] max [lindex $sorted end]]
  }
  foreach field {rows text} { dict set line $field [dict get [lindex $runs end] $field] }
  return $line
}
