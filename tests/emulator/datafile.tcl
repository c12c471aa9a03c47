# The emulator's data file, opened by a test.

# datafile HANDLE FILE: opens it as the emulator does, so that pages which are
# written get their sums.
proc datafile {handle file} {
  if {![info exists ::datafile_loaded]} {
    sqlite3 datafile_loader :memory:
    datafile_loader enable_load_extension 1
    set so $::root/build/unit/datafile
    datafile_loader eval { SELECT load_extension($so, 'sqlite3_datafile_init') }
    datafile_loader close
    set ::datafile_loaded 1
  }
  uplevel 1 [list sqlite3 $handle $file -vfs ledger-pages]
}

# An older emulator's data file: what the file holds, in the given format, and no
# sums on its pages.
proc datafile_old {file format} {
  sqlite3 from $file -readonly 1
  sqlite3 to $file.old
  to eval "PRAGMA application_id=[from onecolumn { PRAGMA application_id }];
    PRAGMA user_version=$format"
  from eval { SELECT name, sql FROM sqlite_schema WHERE type='table' } {
    if {$format < 2 && $name eq "object"} continue
    to eval $sql
  }
  to eval { ATTACH $file AS past }
  foreach name [to eval { SELECT name FROM main.sqlite_schema WHERE type='table' }] {
    to eval "INSERT INTO main.$name SELECT * FROM past.$name"
  }
  to eval { DETACH past }
  from eval { SELECT sql FROM sqlite_schema WHERE type='index' AND sql NOT NULL } { to eval $sql }
  to eval { PRAGMA journal_mode=WAL }
  to close
  from close
  file rename -force $file.old $file
}
