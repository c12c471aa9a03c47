# The pages for users, README.md and ext/doc/*.md: what they show is run. Sourced by
# the tests of this folder.
#
# Two kinds of block are run, in a page's order, on a ledger that is the page's own:
#
#   ```sql       statements; `--> a|b` below one shows a row, as the shell's list mode
#                prints it (of EXPLAIN QUERY PLAN the detail), `--> SQLITE_AUTH: TEXT`
#                that it fails, with which code and message. `.read sql/NAME.sql`
#                reads a script.
#   ```console   `$ command`, continued by a backslash at the end of a line, or by
#                `<<'END'` up to that word; the other lines are what it prints. The
#                commands of a block share one shell, those of a page one folder,
#                with build/, sql/, tests/ and the ledger's ready.json in it.
#
# Where nothing is shown, nothing is compared; `...` stands for what changes, and
# which ids a ledger gives depends on when it signs, so that one is as good as
# another. A command that shows nothing must succeed.

# Pages that are tried by a file of their own, pages_GROUP.test, for together they take
# long; the others are tried by pages.test.
set page_groups {
  begin {tutorial recipes proof azure}
  connect {emulator credentials troubleshooting hosts}
}
proc page_tests group {
  foreach name [dict get $::page_groups $group] { page_test $name ext/doc/$name.md }
}

proc page_pattern text {
  return [string map {... * * \\* ? \\? [ \\[ ] \\] \\ \\\\} [page_ids $text]]
}
proc page_ids text { regsub -all {\m\d+\.\d+\M} $text ID }

# The blocks of a page: {kind text line} ...
proc page_blocks text {
  set blocks {}
  set kind ""
  set n 0
  foreach line [split $text \n] {
    incr n
    if {$kind eq "" && [regexp {^```(\w*)} $line -> kind]} {
      if {$kind eq ""} { set kind text }
      set block {}
      set from $n
    } elseif {$kind ne "" && $line eq "```"} {
      lappend blocks [list $kind [join $block \n] $from]
      set kind ""
    } elseif {$kind ne ""} {
      lappend block $line
    }
  }
  if {$kind ne ""} { error "line $from: a block without end" }
  return $blocks
}

# The statements of a block, each with the lines that are shown below it.
proc page_statements block {
  set found {}
  set sql ""
  foreach line [split $block \n] {
    if {[regexp {^-->(?: (.*))?$} $line -> row]} {
      if {[string trim $sql] ne "" || ![llength $found]} {
        error "no statement above: $line"
      }
      lset found end [list {*}[lindex $found end] $row]
    } elseif {[regexp {^\.read sql/([a-z_-]+)\.sql$} $line -> script]} {
      lappend found [list [sql_script $script]]
    } else {
      append sql $line\n
      if {[harness_db complete $sql]} {
        lappend found [list $sql]
        set sql ""
      }
    }
  }
  if {[regexp -line {^\s*[^-\s]} $sql]} { error "no end: $sql" }
  return $found
}

# The commands of a block, likewise.
proc page_commands block {
  set found {}
  set more 0
  set end ""
  foreach line [split $block \n] {
    if {$more || $end ne ""} {
      lset found end 0 [lindex $found end 0]\n$line
      if {$line eq $end} { set end "" }
    } elseif {[regexp {^\$ (.*)} $line -> line]} {
      lappend found [list $line]
    } elseif {![llength $found]} {
      error "no command above: $line"
    } else {
      lset found end [list {*}[lindex $found end] $line]
      continue
    }
    set more [string match {*\\} $line]
    regexp {<<'(\w+)'} $line -> end
  }
  return $found
}

# A statement's rows as the shell prints them, or its message.
proc page_rows sql {
  set rows {}
  if {[catch {
    db eval \n$sql row {
      set values [lmap name $row(*) { set row($name) }]
      if {$row(*) eq {id parent notused detail}} { set values [lrange $values 3 end] }
      lappend rows [join $values |]
    }
  } message]} { return "SQLITE_[errorcode]: $message" }
  return [join $rows \n]
}

# What each command printed and its exit status: {text status} ...
proc page_console {commands dir} {
  # What a command leaves in the background ends with the block.
  set script "trap 'kill \$(jobs -p) 2>/dev/null' EXIT\n"
  foreach command $commands {
    append script "[lindex $command 0]\nprintf '\\001%d\\001' \$?\n"
  }
  put $dir/console.sh [encoding convertto utf-8 $script]
  exec {*}[with_module] bash -c "cd '$dir' && exec bash console.sh" \
    < /dev/null > $dir/console.out 2>@1
  set parts [split [harness_read $dir/console.out] \001]
  lmap {text status} [lrange $parts 0 end-1] { list [string trimright $text \n] $status }
}

# Runs a page's blocks; cases are PREFIX.BLOCK.STATEMENT.
proc page_test {prefix file} {
  global testdir root env
  set name page$prefix
  set dir $testdir/$prefix
  file mkdir $dir/build
  file link -symbolic $dir/build/ledger.so [file normalize $env(LEDGER_MODULE).so]
  file link -symbolic $dir/build/ledger-emulator [file normalize $env(LEDGER_EMULATOR)]
  foreach folder {sql tests ext include} {
    file link -symbolic $dir/$folder [file normalize $root/$folder]
  }
  ledger_start -name $name -noattach {ledger_id demo}
  upvar #0 ledger_$name told
  set env(LEDGER_URL) $told(url)
  set env(LEDGER_OPTIONS) [ledger_options -name $name]
  set env(PAY_SECRET) not-used
  file copy $testdir/$name/ready.json $dir/ready.json
  set here [pwd]
  ledger_db db
  db function readfile bytes ;# the shell has it
  set n 0
  foreach block [page_blocks [harness_read $root/$file]] {
    lassign $block kind text line
    if {$kind ni {sql console}} continue
    incr n
    cd $dir
    if {[catch {
      set parts [page_[expr {$kind eq "sql" ? "statements" : "commands"}] $text]
      if {$kind eq "console"} { set gots [page_console $parts $dir] }
    } message]} {
      cd $here
      do_test $prefix.$n { set message } "$file:$line: no error"
      break
    }
    set k 0
    set failed 0
    foreach part $parts {
      incr k
      set shown [join [lrange $part 1 end] \n]
      set status 0
      if {$kind eq "sql"} {
        set got [page_rows [lindex $part 0]]
        set failed [expr {[string match {SQLITE_*: *} $got]
          && ![string match {SQLITE_*: *} $shown]}]
      } else {
        lassign [lindex $gots $k-1] got status
        set failed [expr {$status != 0 && $shown eq ""}]
      }
      if {$shown eq "" && !$failed} continue
      if {[string match [page_pattern $shown] [page_ids $got]]} { set got $shown }
      do_test $prefix.$n.$k { set got } $shown
      if {$failed} break
    }
    cd $here
    do_test $prefix.$n {
      expr {$failed ? "$file:$line: statement $k failed" : "ran"}
    } ran
    if {$failed} break
  }
  cd $here
  db close
  ledger_stop -name $name
  return $n
}
