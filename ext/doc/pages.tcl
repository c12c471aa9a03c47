# Writes the pages that are made from what is described: reference.md and
# sqlite-ledger(7) from the module's ledger_help and ledger_columns, and
# ledger-emulator(1) from the emulator's --help. `make doc` runs it.
#
#   tests/with-emulator.sh -- tclsh ext/doc/pages.tcl ?-check?
#
# The ledger is that of LEDGER_URL and LEDGER_OPTIONS, and fresh: every example
# is run on it, after those of the page's head, each on a connection of its own,
# and what it returns or is refused with stands below it. A page is written where
# it differs in more than what differs from run to run (ids, keys, times); with
# -check none is written, the lines that would be are shown, and exit is 1.
package require Tcl 8.6
package require sqlite3

set root [file dirname [file dirname [file dirname [file normalize [info script]]]]]
set module build/ledger
set emulator build/ledger-emulator
if {[info exists env(LEDGER_MODULE)]} { set module $env(LEDGER_MODULE) }
if {[info exists env(LEDGER_EMULATOR)]} { set emulator $env(LEDGER_EMULATOR) }
set module [file normalize $module]
set emulator [file normalize $emulator]

proc read_file name {
  set f [open $name]
  fconfigure $f -encoding utf-8
  set text [read $f]
  close $f
  return $text
}

# ---- examples --------------------------------------------------------------

array set code {
  1 ERROR 5 BUSY 6 LOCKED 8 READONLY 12 NOTFOUND 19 CONSTRAINT 20 MISMATCH
  21 MISUSE 23 AUTH
}

proc connect {} {
  sqlite3 db :memory:
  db enable_load_extension 1
  db eval { SELECT load_extension($::module) }
  db function readfile read_file
}

# The statements of a text; `.read FILE` is one too.
proc statements text {
  set found {}
  set sql ""
  foreach line [split $text \n] {
    append sql [expr {$sql eq "" ? "" : "\n"}] $line
    if {[string match .read* $sql] || [db complete $sql]} {
      lappend found $sql
      set sql ""
    }
  }
  if {$sql ne ""} { error "no end: $sql" }
  return $found
}

# Its rows as the shell prints them, after `--> `; or how it was refused.
proc answer statement {
  if {[string match .read* $statement]} {
    db eval [regsub -line -all {^\..*$} \
      [read_file $::root/[lindex $statement 1]] {}]
    return ""
  }
  set text ""
  set rc [catch {
    db eval $statement row {
      append text "\n--> [join [lmap name $row(*) { set row($name) }] |]"
    }
  } message]
  if {$rc} {
    set text "\n--> SQLITE_$::code([expr {[db errorcode] & 255}]): $message"
  }
  return $text
}

# The text with answers in it; $refused: whether its last statement has to be.
proc answered {text refused} {
  connect
  set all [statements $text]
  set shown {}
  foreach statement $all {
    set got [answer $statement]
    lappend shown $statement$got
    set fails [expr {$refused && [llength $shown] == [llength $all]}]
    if {[string match "\n--> SQLITE_*" $got] != $fails} {
      puts stderr "not as declared: $statement$got"
      set ::failed 1
    }
  }
  db close
  return [join $shown \n]
}

# A block of SQL: an example and, where there is one, what is refused.
proc block {example refused} {
  set text "```sql\n[answered $example 0]\n"
  if {$refused ne ""} { append text "\n[answered $refused 1]\n" }
  return "$text```\n"
}

# ---- reference.md ----------------------------------------------------------

# A line as a sentence; a name at its beginning stays as it is.
proc sentence text {
  if {![string match *. $text]} { append text . }
  if {[regexp {^[a-z]+[_.]} $text]} { return $text }
  return [string toupper [string index $text 0]][string range $text 1 end]
}
proc cell text { string map {| \\|} $text }

# The rows of ledger_help of one kind, as dictionaries.
proc described kind {
  connect
  set rows {}
  db eval {
    SELECT name, signature, description, example, writes, pushed_down, requests, fails
      FROM ledger_help WHERE kind = $kind ORDER BY iif(kind = 'table', 0, name)
  } row {
    lappend rows [array get row]
  }
  db close
  return $rows
}

# The list of a kind, with links into the page.
proc index_of {kind rows} {
  set text "| $kind | |\n|---|---|\n"
  foreach row $rows {
    dict with row {
      append text "| \[$name\](#$name) | [cell $description] |\n"
    }
  }
  return $text
}

proc columns_of name {
  set text "| column | type | |\n|---|---|---|\n"
  connect
  db eval {
    SELECT column_name AS c, type, hidden, description
      FROM ledger_columns WHERE table_name = $name ORDER BY position
  } {
    if {$hidden} { set c \[$c\] }
    append text "| $c | $type | [cell $description] |\n"
  }
  db close
  return $text
}

# What a table asks for, and since which version of the API.
proc asked name {
  connect
  set text [db onecolumn {
    SELECT iif(request = 'none', '', '`' || replace(request, ', ', '`, `') || '`'
           || iif(since > '0.1-preview', ', from API version ' || since, '') || ': ')
      FROM ledger_columns WHERE table_name = $name LIMIT 1
  }]
  db close
  return $text
}

proc reference {} {
  set head [string trimright [read_file $::root/ext/doc/reference.md.in]]
  foreach {- sql} [regexp -all -inline {```sql\n(.*?)\n```} $head] {
    answered $sql 0
  }
  foreach kind {table function option} { set $kind [described $kind] }
  foreach kind {table function option} {
    append text "\n## [string totitle $kind]s\n\n[index_of $kind [set $kind]]"
    foreach row [set $kind] {
      dict with row {
        append text "\n### $name\n\n"
        if {$kind eq "function"} { append text "    $signature\n\n" }
        append text "[sentence $description]\n"
        switch $kind {
          table {
            append text "\n[columns_of $name]\n"
            if {$writes ne ""} { append text "- Written by: $writes\n" }
            if {$pushed_down ne ""} {
              append text "- Pushed down: `[string map {"; " "`, `"} $pushed_down]`\n"
            }
            append text "- Requests: [asked $name]$requests\n"
          }
          function { append text "\n- Requests: $requests\n" }
          option {
            if {$signature ne ""} { append text "\n- Default: `$signature`\n" }
          }
        }
        append text "\n[block $example $fails]"
      }
    }
  }
  return $head\n$text
}

# ---- man pages -------------------------------------------------------------

# Text for mdoc(7): nothing in it is a macro or an escape.
proc troff text {
  set text [string map {\\ \\e - \\- \" \\(dq} $text]
  return [regsub -line -all {^[.']} $text {\\\&&}]
}

# A list of what each is called and does.
proc items rows {
  set text ".Bl -tag -width Ds\n"
  foreach {name about} $rows {
    append text ".It Ic \"[troff $name]\"\n[troff $about]\n"
  }
  return "$text.El"
}

# The options of --help, with what they do.
proc help_options {} {
  set rows {}
  set help [exec $::emulator --help]
  foreach line [split $help \n] {
    if {[regexp {^  (--\S+(?: \S+)?) *(?: {2,}(.*))?$} $line -> flag about]} {
      lappend rows $flag $about
    } elseif {[llength $rows] && [string trim $line] ne ""} {
      lset rows end [string trim "[lindex $rows end] [string trim $line]"]
    }
  }
  if {[llength $rows] / 2 != [regexp -all -line {^  --} $help]} {
    error "not understood: --help"
  }
  return $rows
}

proc man name {
  set text [read_file $::root/ext/doc/man/$name.in]
  set map [list @VERSION@ $::version @OPTIONS_OF_EMULATOR@ [items [help_options]]]
  foreach kind {table function option} {
    set rows {}
    foreach row [described $kind] {
      dict with row {
        set about [sentence $description]
        switch $kind {
          table { append about "\nColumns: $signature." }
          function { set name $signature }
          option { if {$signature ne ""} { append about "\nDefault: $signature" } }
        }
        lappend rows $name $about
      }
    }
    lappend map @[string toupper $kind]S@ [items $rows]
  }
  return [string map $map $text]
}

# ---- what is there, and what should be -------------------------------------

# What differs from run to run is masked.
proc masked text {
  foreach {re mask} {
    {\m\d+\.\d+\M} ID  {\m[0-9a-f]{32,}\M} HEX  {localhost:\d+} localhost:PORT
    {(?:[0-9A-F]{2}:){31}[0-9A-F]{2}} HEX  {\d{4}-\d\d-\d\dT[0-9:.]+Z} TIME
    {"(committed_)?milliseconds":[0-9.]+} MS
  } { regsub -all $re $text $mask text }
  return $text
}

# The text with the lines that are there already, where they differ in no more.
proc kept {text is} {
  foreach line [split $is \n] { dict lappend old [masked $line] $line }
  return [join [lmap line [split $text \n] {
    set mask [masked $line]
    if {[dict exists $old $mask] && [llength [dict get $old $mask]]} {
      dict set old $mask [lassign [dict get $old $mask] line]
    }
    set line
  }] \n]
}

# Sees to it that a page is as it should be; the lines where it is not.
proc page {name text check} {
  set path $::root/ext/doc/$name
  set is ""
  if {[file exists $path]} { set is [read_file $path] }
  if {[masked $is] eq [masked $text]} return
  if {!$check} {
    file mkdir [file dirname $path]
    set f [open $path w]
    fconfigure $f -encoding utf-8
    puts -nonewline $f [kept $text $is]
    close $f
    puts "ext/doc/$name"
    return
  }
  set ::failed 1
  puts stderr "ext/doc/$name is stale: make doc"
  set was [split [masked $is] \n]
  set n 0
  foreach line [split [masked $text] \n] {
    if {$line ni $was && [incr n] < 20} { puts stderr "+ $line" }
  }
}

# Where the examples run: the files that they name, and nothing else.
proc in_folder {} {
  global env
  sqlite3 json :memory:
  set ca [json onecolumn { SELECT $env(LEDGER_OPTIONS) ->> '$.ca_file' }]
  json close
  set folder [file dirname $ca]/example
  file mkdir $folder
  foreach {to from} {user admin user_key admin ca ca service service} {
    file copy -force [file dirname $ca]/$from.pem $folder/$to.pem
  }
  cd $folder
  exec openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=app \
    -keyout key.pem -out app.pem 2>@1
  exec cat key.pem >> app.pem
  set env(PAY_SECRET) secret
}

set failed 0
set check [expr {[lindex $argv 0] eq "-check"}]
in_folder
connect
set version [db onecolumn { SELECT ledger_version() }]
db close
page reference.md [reference] $check
page man/ledger-emulator.1 [man ledger-emulator.1] $check
page man/sqlite-ledger.7 [man sqlite-ledger.7] $check
exit $failed
