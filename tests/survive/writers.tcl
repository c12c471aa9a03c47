# Writers that may be killed: processes, each of which appends rows of its own until
# it is told to stop. Sourced after tester.tcl, with a ledger started.
#
#   writer start 3 outbox $file    writer start 5 commit
#   writer kill 3                  writer stop 5
#
# `outbox` writes rows down in a database file, together with a row of its own data,
# and flushes. `commit` appends by COMMIT with option reconcile, and appends again
# what a COMMIT that failed did not record. No two rows have the same contents.
#
# What a writer of kind `commit` does stands in its journal, a line each: `try
# CONTENTS` before it is sent, `told CONTENTS ID` once it is committed, `open
# CONTENTS` where that can't be told. A row that was tried and has no other line was
# cut off by a kill.

put $testdir/writer.tcl [string map [list %MODULE [list $env(LEDGER_MODULE)] \
  %RECONCILE [list [ledger_attach_sql {reconcile on settle_ms 200 poll_first_ms 2}]] \
  %OUTBOX [list [ledger_attach_sql {poll_first_ms 2}]]] {
package require sqlite3
lassign $argv kind me run file journal
sqlite3 db $file
db timeout 20000
db enable_load_extension 1
set module %MODULE
set attach [dict get {commit %RECONCILE outbox %OUTBOX} $kind]
db eval {SELECT load_extension($module)}
# The ledger may be down just now.
while {[catch { db eval $attach; db eval {SELECT ledger_ping()} }]} {
  catch { db eval {SELECT ledger_detach()} }
  after 20
}
set log [open $journal a]
fconfigure $log -buffering line
fconfigure stdin -blocking 0
puts ready
flush stdout
set end 0
proc stopped {} {
  if {[gets stdin] ne "" || [eof stdin]} { set ::end 1 }
  return $::end
}

proc outbox {} {
  set p [expr {$::me % 2}]
  db eval {BEGIN IMMEDIATE;
    INSERT INTO own VALUES(NULL);
    INSERT INTO ledger_outbox(contents, sub_ledger)
      VALUES('row ' || $p || ':' || last_insert_rowid(), 'o' || $p),
            ('and ' || $p || ':' || last_insert_rowid(), 'o');
    COMMIT}
  if {[catch { db eval {SELECT ledger_flush('{"settle_ms":200}')} } said]} {
    puts $::log "failed [string map {\n { }} $said]"
    after 20
  }
}

# Appends the rows; answers those that the ledger does not have.
proc commit rows {
  global log me
  set from [db onecolumn {SELECT coalesce(max(n), 0) FROM ledger_appends}]
  db eval BEGIN
  foreach row $rows {
    puts $log "try $row"
    db eval {INSERT INTO ledger_entries(contents, sub_ledger) VALUES($row, 'c' || ($me % 2))}
  }
  # Busy: nothing is open, and the transaction goes on.
  while {[set failed [catch { db eval COMMIT } said]] && ([db errorcode] & 255) == 5} {
    after 20
  }
  if {$failed} { puts $log "failed [string map {\n { }} $said]" }
  db eval {SELECT n, state AS s, transaction_id AS id FROM ledger_appends WHERE n > $from} {
    set told($n) [list $s $id]
  }
  set again {}
  foreach row $rows {
    set s ""
    if {[info exists told([incr from])]} { lassign $told($from) s id }
    switch $s {
      committed { puts $log "told $row $id" }
      pending - unknown { puts $log "open $row" }
      default { lappend again $row }
    }
  }
  return $again
}

set rows {}
set i 0
while {![stopped] || [llength $rows]} {
  if {$kind eq "outbox"} { outbox; continue }
  while {!$end && [llength $rows] < 3} { lappend rows w$me.$run.[incr i] }
  set rows [commit $rows]
  if {[llength $rows]} { after 20 }
}
}]

array set writers {}
array set writer_last {} ;# its last run, which is a part of its rows' contents
set writer_run 0

proc writer {what me {kind ""} {file :memory:}} {
  global writers
  switch $what {
    start {
      if {$kind eq "outbox" && ![file exists $file]} {
        sqlite3 outbox $file
        outbox eval "PRAGMA journal_mode=wal; [sql_script outbox];
          CREATE TABLE own(n INTEGER PRIMARY KEY)"
        outbox close
      }
      set ::writer_last($me) [incr ::writer_run]
      set f [open |[concat [harness_tied] [with_module] [list [info nameofexecutable] \
        $::testdir/writer.tcl $kind $me $::writer_run $file $::testdir/journal.$me \
        2>>$::testdir/writer.err]] r+]
      harness_pid [lindex [pid $f] end]
      fconfigure $f -blocking 0
      set writers($me) $f
    }
    kill {
      catch { exec sh -c "kill -KILL [lindex [pid $writers($me)] end]" }
      fconfigure $writers($me) -blocking 1
      set ended [catch { close $writers($me) } - options]
      unset writers($me)
      return [expr {$ended && [lindex [dict get $options -errorcode] 0] eq "CHILDKILLED"}]
    }
    stop {
      set f $writers($me)
      unset writers($me)
      catch { puts $f stop; flush $f }
      if {![wait_until {[read $f] eq "" && [eof $f]} 60000]} {
        end_process [lindex [pid $f] end] KILL
        error "writer $me does not stop"
      }
      fconfigure $f -blocking 1
      close $f
    }
  }
}

# What the writers' journals say: word -> the lines behind it.
proc journals {} {
  set said {try {} told {} open {} failed {}}
  foreach file [glob -nocomplain $::testdir/journal.*] {
    foreach line [split [harness_read $file] \n] {
      if {[regexp {^(try|told|open|failed) (.*)$} $line -> word rest]} {
        dict lappend said $word $rest
      }
    }
  }
  return $said
}

# Writes into temp.held of `db` what the ledger holds. No id is there twice, and
# every entry verifies: {ENTRIES IDS NOT-VERIFIED}.
proc hold_all {} {
  db eval {
    DROP TABLE IF EXISTS temp.held;
    CREATE TEMP TABLE held AS SELECT sub_ledger, transaction_id, contents FROM ledger_entries;
    SELECT count(*), count(DISTINCT transaction_id),
           (SELECT count(*) FROM ledger_audit WHERE verified IS NOT 1)
      FROM temp.held
  }
}

# Sends what waits in an outbox: {WAITING MISSING ROWS}. Rows that wait all the same,
# how many rows more or fewer its own data has, and all of them: id, contents.
proc outbox_end file {
  ledger_db box $file
  box timeout 20000
  box eval [ledger_attach_sql]
  box eval {SELECT ledger_flush('{"settle_ms":200}')}
  set rows [box eval {SELECT transaction_id, contents FROM ledger_outbox}]
  set wrong [box eval {
    SELECT count(*) FROM ledger_outbox WHERE state <> 'committed';
    SELECT (SELECT count(*) FROM own) * 2 - (SELECT count(*) FROM ledger_outbox)}]
  box close
  unset ::harness_handle(box)
  return [list {*}$wrong $rows]
}
