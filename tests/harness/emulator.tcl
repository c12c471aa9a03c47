# Ledgers for tests: starts emulators, attaches them, ends them by their pid.
# Sourced by tester.tcl. What they were asked, and are told: requests.tcl.
#
# A ledger has a name: "" is the default one, attached as `main`, told in the
# array ::ledger; `pay` is attached as `pay` and told in ::ledger_pay. Members
# are those of the emulator's ready line (url, token, ca_file, ...).

# name -> dictionary: pid, options, data, log, offset, err
array set harness_emulator {}

# ---- start, stop, restart --------------------------------------------------

# ledger_start ?-name NAME? ?-noattach? ?-db FILE? ?OPTIONS?
#
# Starts an emulator and, unless -noattach, opens `db` with the module (once;
# -db: on that file) and attaches the ledger to it. OPTIONS, a flat list:
#
#   entries N, sub_ledgers K, bytes B, seed S   --fill N,K,B,S
#   entries N, sub_ledger NAME                  N entries, `entry 1` to
#                                               `entry N`, by INSERT
#   strict_bounds 1                             --strict-bounds
#   data FILE                                   --data FILE
#   extra {FLAG ...}                            as they are
#   anything else VALUE                         --anything-else VALUE
proc ledger_start args {
  array set o {-name "" -noattach 0 -db :memory:}
  harness_options o {-name value -noattach flag -db value}
  set name $o(-name)
  if {[info exists ::harness_emulator($name)]} {
    error "a ledger named \"$name\" runs already"
  }
  set options [lindex $args 0]
  set dir $::testdir/[expr {$name eq "" ? "main" : $name}]
  file mkdir $dir
  set data $dir/ledger.db
  if {[dict exists $options data]} { set data [dict get $options data] }
  harness_emulator_run $name 127.0.0.1:0 [dict create \
    options $options data $data log $dir/requests.jsonl fresh 1]
  if {[dict exists $options sub_ledger]} { harness_fill $name $options }
  if {!$o(-noattach)} {
    if {[info commands db] eq ""} { ledger_db db $o(-db) }
    db eval [ledger_attach_sql -name $name]
  }
  ledger_requests_clear -name $name
}

# ledger_kill_when ?-name NAME? PATTERN: kill -9, as soon as a line of the request
# log from now on fits what grep makes of PATTERN. A number in its place: that
# many seconds from now. ledger_restart or ledger_stop is to follow.
proc ledger_kill_when args {
  array set o {-name ""}
  harness_options o {-name value}
  set state $::harness_emulator($o(-name))
  set pid [dict get $state pid]
  set log [dict get $state log]
  if {[string is double -strict [lindex $args 0]]} {
    set until "sleep [lindex $args 0]"
  } else {
    set from [expr {[file exists $log] ? [file size $log] + 1 : 1}]
    set until "until tail -c +$from \"$log\" | grep -q -e \"\$1\"; do\
      kill -0 $pid || exit; sleep 0.01; done"
  }
  dict set ::harness_emulator($o(-name)) killed 1
  spawn sh -c "{ $until; kill -KILL $pid; } 2>/dev/null" sh [lindex $args 0]
}

# ledger_stop ?-name NAME? ?-signal TERM?: an emulator that had ended before is
# a failed case unless it was to be killed, and so is one that a TERM doesn't
# end.
proc ledger_stop args {
  array set o {-name "" -signal TERM}
  harness_options o {-name value -signal value}
  set name $o(-name)
  set state $::harness_emulator($name)
  set pid [dict get $state pid]
  set err [dict get $state err]
  unset ::harness_emulator($name)
  set died [expr {![process_alive $pid] && ![dict get $state killed]}]
  if {![end_process $pid $o(-signal)]} {
    harness_result fail [harness_name emulator] \
      "$name: still there 10 s after SIG$o(-signal)"
  }
  if {$died} {
    harness_result fail [harness_name emulator] \
      "$name: died by itself\n  [string trim [harness_tail $err]]"
  }
}

# ledger_restart ?-name NAME? ?-signal TERM? ?OPTIONS?: the same data on the
# same port; options given replace those of the start. Nothing is attached.
proc ledger_restart args {
  array set o {-name "" -signal TERM}
  harness_options o {-name value -signal value}
  set name $o(-name)
  set state $::harness_emulator($name)
  regexp {:(\d+)$} [dict get [array get [ledger_array $name]] url] -> port
  ledger_stop -name $name -signal $o(-signal)
  dict set state options [dict merge \
    [dict remove [dict get $state options] entries sub_ledgers bytes seed] \
    [lindex $args 0]]
  dict set state fresh 0
  harness_emulator_run $name 127.0.0.1:$port $state
  ledger_requests_clear -name $name
}

proc ledger_stop_all {} {
  foreach name [array names ::harness_emulator] { ledger_stop -name $name }
}

# The name of the array that tells of a ledger.
proc ledger_array name {
  return [expr {$name eq "" ? "::ledger" : "::ledger_$name"}]
}

# The command-line flags of an options list.
proc harness_flags options {
  set flags {}
  array set fill {entries 0 sub_ledgers 1 bytes 100 seed 1}
  set filled [expr {![dict exists $options sub_ledger]}]
  foreach {key value} $options {
    switch $key {
      entries - sub_ledgers - bytes - seed { set fill($key) $value }
      data - sub_ledger {}
      extra { lappend flags {*}$value }
      strict_bounds { if {$value} { lappend flags --strict-bounds } }
      default { lappend flags --[string map {_ -} $key] $value }
    }
  }
  if {$fill(entries) && $filled} {
    lappend flags --fill \
      $fill(entries),$fill(sub_ledgers),$fill(bytes),$fill(seed)
  }
  return $flags
}

proc harness_emulator_run {name listen state} {
  set dir [file dirname [dict get $state log]]
  set ready $dir/ready.json
  set err $::testdir/[file tail $dir].err
  file delete $ready
  set command [list $::env(LEDGER_EMULATOR) --data [dict get $state data] \
    --listen $listen --ready-file $ready --control \
    --request-log [dict get $state log] \
    {*}[harness_flags [dict get $state options]]]
  set pid [spawn {*}$command </dev/null >/dev/null 2>>$err]
  if {![wait_until {[harness_ready $ready] || ![process_alive $pid]} 60000]
      || ![harness_ready $ready]} {
    end_process $pid KILL
    error "no emulator: [join $command]\n[harness_tail $err]"
  }
  set json [string trim [harness_read $ready]]
  set array [ledger_array $name]
  unset -nocomplain $array
  harness_db eval { SELECT key, atom FROM json_each($json) } row {
    set ${array}($row(key)) $row(atom)
  }
  dict set state pid $pid
  dict set state killed 0
  dict set state err $err
  dict set state offset 0
  set ::harness_emulator($name) $state
}

# Whether the ready file holds a whole line.
proc harness_ready file {
  return [expr {[file exists $file]
                && [string index [harness_read $file] end] eq "\n"}]
}

proc harness_read {file {offset 0}} {
  if {![file exists $file]} { return "" }
  set f [open $file]
  fconfigure $f -encoding utf-8
  seek $f $offset
  set text [read $f]
  close $f
  return $text
}

proc harness_tail file {
  return [string range [harness_read $file] end-2000 end]
}

# Appends `entry 1` to `entry N` to a sub-ledger, through the module.
proc harness_fill {name options} {
  set n 0
  if {[dict exists $options entries]} { set n [dict get $options entries] }
  set sub_ledger [dict get $options sub_ledger]
  ledger_db harness_filler
  harness_filler eval [ledger_attach_sql -name $name]
  set ledger [expr {$name eq "" ? "main" : $name}]
  harness_filler eval {
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<$n)
    INSERT INTO ledger_entries(ledger, sub_ledger, contents)
    SELECT $ledger, $sub_ledger, 'entry ' || i FROM n WHERE $n>0
  }
  harness_filler close
  unset ::harness_handle(harness_filler)
}

# ---- attaching -------------------------------------------------------------

# ledger_options ?-name NAME? ?OPTIONS?: the options object of a ledger, with
# a token; OPTIONS, a flat list, adds, replaces, and with "" takes away.
proc ledger_options args {
  array set o {-name ""}
  harness_options o {-name value}
  array set told [array get [ledger_array $o(-name)]]
  set options [dict create ca_file $told(ca_file) \
    identity_url $told(identity_url) token $told(token)]
  foreach {key value} [lindex $args 0] {
    if {$value eq ""} {
      set options [dict remove $options $key]
    } else {
      dict set options $key $value
    }
  }
  return [json_object $options]
}

# ledger_attach_sql ?-name NAME? ?-as ALIAS? ?OPTIONS?: the statement that
# attaches a ledger.
proc ledger_attach_sql args {
  array set o {-name "" -as ""}
  harness_options o {-name value -as value}
  set as $o(-as)
  if {$as eq ""} { set as [expr {$o(-name) eq "" ? "main" : $o(-name)}] }
  set url [dict get [array get [ledger_array $o(-name)]] url]
  return "SELECT ledger_attach([quote $url], [quote $as],\
    [quote [ledger_options -name $o(-name) [lindex $args 0]]])"
}

# ---- another writer --------------------------------------------------------

# background_writer start ?-name NAME? ?-sub_ledger S? ?-rate PER_SECOND? ?-delay MS?
# background_writer stop
#
# A second process that appends `background 1`, `background 2`, ... through the
# module. stop ends it after the append under way; answers how many there are.
proc background_writer {what args} {
  if {$what eq "stop"} {
    set f $::harness_writer
    unset ::harness_writer
    catch { puts $f stop }
    fconfigure $f -blocking 0
    set text ""
    if {![wait_until {[append text [read $f]; eof $f]} 20000]} {
      end_process [lindex [pid $f] end] KILL
    }
    catch { close $f }
    if {![regexp {^appended (\d+)\s*$} $text -> n]} {
      error "the background writer failed: $text"
    }
    return $n
  }
  array set o {-name "" -sub_ledger background -rate 50 -delay 0}
  harness_options o {-name value -sub_ledger value -rate value -delay value}
  set script [string map [list \
    %MODULE [list $::env(LEDGER_MODULE)] \
    %ATTACH [list [ledger_attach_sql -name $o(-name) -as main]] \
    %SUB_LEDGER [list $o(-sub_ledger)] \
    %DELAY $o(-delay) %PAUSE [expr {1000 / $o(-rate)}]] {
    set n 0
    after %DELAY
    if {[catch {
      package require sqlite3
      sqlite3 db :memory:
      db enable_load_extension 1
      set module %MODULE
      db eval { SELECT load_extension($module) }
      db eval %ATTACH
      set sub_ledger %SUB_LEDGER
      fconfigure stdin -blocking 0
      while {[gets stdin] eq "" && ![eof stdin]} {
        incr n
        db eval { SELECT ledger_append('background ' || $n, $sub_ledger) }
        after %PAUSE
      }
    } message]} {
      puts $message
    } else {
      puts "appended $n"
    }
  }]
  set f [open $::testdir/writer.tcl w]
  fconfigure $f -encoding utf-8
  puts $f $script
  close $f
  set f [open |[concat [harness_tied] [with_module] \
    [list [info nameofexecutable] $::testdir/writer.tcl 2>@1]] r+]
  fconfigure $f -buffering line -encoding utf-8
  harness_pid [lindex [pid $f] end]
  set ::harness_writer $f
}

proc writer_stop_all {} {
  if {[info exists ::harness_writer]} { catch { background_writer stop } }
}

# ---- processes -------------------------------------------------------------

# The words in front of a command that make it end with this process.
proc harness_tied {} {
  if {![info exists ::harness_tied]} {
    set tied {setpriv --pdeathsig KILL}
    if {[catch { exec {*}$tied true }]} { set tied {} }
    set ::harness_tied $tied
  }
  return $::harness_tied
}

# Starts a process that ends with this one, and is known to the runner.
proc spawn args {
  set pid [exec {*}[harness_tied] {*}$args &]
  harness_pid $pid
  return $pid
}

proc harness_pid pid {
  set f [open $::testdir/pids a]
  puts $f $pid
  close $f
}

# A process that has ended and is only not waited for is not alive.
proc process_alive pid {
  if {[catch { harness_read /proc/$pid/stat } stat] || $stat eq ""} {
    return 0
  }
  return [expr {![regexp {\) [ZX] } $stat]}]
}

# Sends the signal and waits up to 10 s; then kills. Whether it ended in time.
proc end_process {pid {signal TERM}} {
  catch { exec sh -c "kill -$signal $pid" }
  if {[wait_until {![process_alive $pid]} 10000]} { return 1 }
  catch { exec sh -c "kill -KILL $pid" }
  wait_until {![process_alive $pid]} 2000
  return 0
}
