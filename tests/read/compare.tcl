# A condition never changes what ledger_entries means, only what it costs: the
# same query, generated, over the ledger and over a local copy of it.
#
# compare_ledgers fills two ledgers (several views, sub-ledgers, tags) and makes
# the table `copy`; compare_queries runs N generated queries on both.

# Two ledgers, `main` and `pay`: entries in four sub-ledgers, over an election.
proc compare_ledgers {options} {
  ledger_start $options
  ledger_start -name pay $options
  foreach view {1 2 3} {
    foreach {ledger n} {main 40 pay 15} {
      db eval BEGIN
      for {set i 0} {$i < $n} {incr i} {
        set sub [lindex {subledger:0 A B {c d/e&f%}} [expr {$i % 4}]]
        set tags [lindex {{} red {red,blue} {blue,green}} [expr {$i / 2 % 4}]]
        db eval {
          INSERT INTO ledger_entries(contents, sub_ledger, tags, ledger)
          VALUES('v' || $view || ' entry ' || $i, $sub, $tags, $ledger)
        }
      }
      db eval COMMIT
    }
    if {$view < 3} {
      elect
      elect pay
    }
  }
  db eval {
    CREATE TABLE copy(transaction_id TEXT COLLATE ledger_txid, sub_ledger TEXT,
                      contents TEXT, tags TEXT, ledger TEXT, view INTEGER,
                      seqno INTEGER);
    INSERT INTO copy(rowid, transaction_id, sub_ledger, contents, tags, ledger,
                     view, seqno)
    SELECT rowid, transaction_id, sub_ledger, contents, tags, ledger, view, seqno
      FROM ledger_entries;
    CREATE TABLE ids(transaction_id TEXT, note TEXT);
    INSERT INTO ids SELECT transaction_id, contents FROM copy
                     WHERE seqno % 7 = 0;
    INSERT INTO ids VALUES('2.9999', 'missing'), ('x', 'no id'), (NULL, 'null');
    INSERT INTO ids SELECT transaction_id, 'again' FROM ids WHERE rowid < 5;
  }
}

proc pick list { lindex $list [expr {int(rand() * [llength $list])}] }

# An id: one that exists, one that doesn't, one of another view, no id at all.
proc any_id {} {
  if {rand() < 0.75} { return [quote [pick $::compareIds]] }
  return [quote [pick {2.1 2.999999 9.30 1.30 5.1 {} zzz 2.x 02.9 {2.9 }}]]
}
proc any_seqno {} { expr {1 + int(rand() * $::compareMax * 1.2)} }
proc any_op {} { pick {< <= > >= =} }

proc any_term {depth} {
  switch [expr {int(rand() * ($depth > 0 ? 15 : 12))}] {
    0 { return "sub_ledger = [quote [pick $::compareSubs]]" }
    1 { return "sub_ledger IN ([quote [pick $::compareSubs]],\
                [quote [pick $::compareSubs]], NULL)" }
    2 { return "transaction_id [any_op] [any_id]" }
    3 { return "transaction_id BETWEEN [any_id] AND [any_id]" }
    4 { return "transaction_id IN ([any_id], [any_id], [any_id], NULL)" }
    5 { return "seqno [any_op] [any_seqno]" }
    6 { return "seqno BETWEEN [any_seqno] AND [any_seqno]" }
    7 { return "view [any_op] [pick {1 2 3 4 5}]" }
    8 {
      # A name by = that isn't attached is an error (read/ledger_column.test).
      set name [pick {main pay nobody}]
      if {$name eq "nobody"} { return "ledger IN ('nobody', 'none')" }
      return "ledger = [quote $name]"
    }
    9 { return "ledger IN ('pay', 'main')" }
    10 { return "contents LIKE '%[pick {1 2 3}]'" }
    11 { return [pick {{seqno > 12.5} {seqno < '40'} {seqno >= 'x'}
                 {transaction_id IS NOT NULL} {view IS 2} {seqno = NULL}
                 {transaction_id > NULL} {sub_ledger <> 'A'} {seqno < 1e30}
                 {tags IS NOT NULL} {transaction_id = '2.9' COLLATE BINARY}
                 {transaction_id > '2.9' COLLATE BINARY}
                 {sub_ledger = 'a' COLLATE NOCASE}}] }
    12 { return "([any_where [expr {$depth - 1}]])" }
    13 { return "([any_term 0] OR [any_term 0])" }
    14 { return "NOT ([any_term 0])" }
  }
}
proc any_where depth {
  set terms {}
  for {set i [expr {1 + int(rand() * 3)}]} {$i > 0} {incr i -1} {
    lappend terms [any_term $depth]
  }
  return [join $terms " AND "]
}

# A condition on the table called alias.
proc any_on alias {
  regsub -all {\m(transaction_id|sub_ledger|seqno|view|ledger|contents|tags)\M(?!['\)])} \
    [any_term 1] "$alias.\\1" term
  return $term
}

# One query, with %T where the table stands. The order of its rows is total, or
# they are sorted here, so that both answers can be compared as lists.
proc any_query {} {
  set where [any_where 2]
  set order "ORDER BY transaction_id [pick {ASC DESC}], ledger"
  set one "ledger = [quote [pick {main pay}]] AND $where"
  switch [expr {int(rand() * 20)}] {
    0 - 1 - 2 { return "SELECT transaction_id, ledger, sub_ledger, contents\
                  FROM %T WHERE $where $order" }
    3 { return "SELECT transaction_id, contents FROM %T WHERE $one\
          ORDER BY transaction_id [pick {ASC DESC}]\
          LIMIT [pick {1 3 10 -1 0}] OFFSET [pick {0 1 5}]" }
    4 { return "SELECT contents FROM %T WHERE sub_ledger =\
          [quote [pick $::compareSubs]] AND $one\
          ORDER BY [pick {transaction_id seqno}] [pick {ASC DESC}]\
          LIMIT [pick {1 2 7}] OFFSET [pick {0 3}]" }
    5 { return "SELECT count(*), min(transaction_id), max(transaction_id),\
          sum(seqno) FROM %T WHERE $where" }
    6 { return "SELECT max(transaction_id) FROM %T WHERE sub_ledger =\
          [quote [pick $::compareSubs]] AND $where" }
    7 { return "SELECT sub_ledger, ledger, count(*) FROM %T WHERE $where\
          GROUP BY 1, 2 ORDER BY 1, 2" }
    8 { return "SELECT i.note, e.contents FROM ids AS i JOIN %T AS e\
          USING(transaction_id) WHERE $where ORDER BY 1, 2" }
    9 { return "SELECT i.note, e.contents FROM %T AS e JOIN ids AS i\
          ON i.transaction_id = e.transaction_id WHERE\
          [string map {transaction_id e.transaction_id} $where] ORDER BY 1, 2" }
    10 { return "SELECT i.note, e.contents FROM ids AS i LEFT JOIN %T AS e\
          ON e.transaction_id = i.transaction_id AND\
          [string map {transaction_id e.transaction_id} [any_term 0]]\
          ORDER BY 1, 2" }
    11 { return "SELECT i.note, e.sub_ledger, e.ledger FROM ids AS i\
          LEFT JOIN %T AS e ON e.contents = i.note ORDER BY 1, 2, 3" }
    12 { return "SELECT count(*) FROM %T AS a JOIN %T AS b ON a.seqno =\
          b.seqno + 1 AND a.ledger = b.ledger AND a.sub_ledger > b.sub_ledger" }
    13 { return "SELECT DISTINCT sub_ledger FROM %T WHERE $where\
          AND EXISTS(SELECT 1 FROM ids WHERE ids.transaction_id =\
          %T.transaction_id) ORDER BY 1" }
    14 { return "SELECT i.note, a.contents, b.contents FROM ids AS i\
          CROSS JOIN %T AS a ON a.transaction_id = i.transaction_id\
          CROSS JOIN %T AS b ON b.ledger = a.ledger AND\
          [pick {{b.seqno = a.seqno} {b.seqno > a.seqno}
            {b.transaction_id = a.transaction_id}
            {b.transaction_id < a.transaction_id}}] AND [any_on b]\
          ORDER BY 1, 2, 3" }
    15 { return "SELECT a.contents, b.contents FROM %T AS a\
          [pick {JOIN {LEFT JOIN} {CROSS JOIN}}] %T AS b\
          ON b.transaction_id = a.transaction_id AND [any_on b]\
          WHERE [any_on a] ORDER BY 1, 2" }
    16 { return "SELECT i.note, (SELECT\
          [pick {count(*) max(e.seqno) min(e.contents)}] FROM %T AS e\
          WHERE e.transaction_id [any_op] i.transaction_id AND [any_on e])\
          FROM ids AS i ORDER BY 1, 2" }
    17 { return "SELECT a.sub_ledger, count(*), count(DISTINCT b.seqno)\
          FROM %T AS a, ids AS i, %T AS b\
          WHERE a.transaction_id IN (i.transaction_id, [any_id])\
          AND b.transaction_id = i.transaction_id AND [any_on a]\
          GROUP BY 1 ORDER BY 1" }
    18 { return "SELECT * FROM (SELECT transaction_id, contents FROM %T\
          WHERE ledger = 'main' AND [any_where 1] UNION [pick {ALL {}}]\
          SELECT transaction_id, contents FROM %T\
          WHERE ledger = 'pay' AND [any_where 1])\
          ORDER BY transaction_id [pick {ASC DESC}], contents\
          LIMIT [pick {3 20 -1}]" }
    19 { return "SELECT contents, row_number() OVER (PARTITION BY sub_ledger,\
          ledger ORDER BY transaction_id [pick {ASC DESC}]) FROM %T\
          WHERE [any_where 1] ORDER BY ledger, transaction_id" }
  }
}

# Runs n generated queries; bound is a condition that both get, or "".
proc compare_queries {name n {bound ""}} {
  set ::compareIds [db eval {SELECT transaction_id FROM copy}]
  set ::compareMax [db onecolumn {SELECT max(seqno) FROM copy}]
  set ::compareSubs {subledger:0 A B {c d/e&f%} nosuch {} a}
  for {set i 1} {$i <= $n} {incr i} {
    set query [any_query]
    set remote ledger_entries
    if {$bound ne ""} { set remote "(SELECT *, ledger, view, seqno FROM\
      ledger_entries WHERE $bound)" }
    set ask [string map [list "%T.transaction_id" "t0.transaction_id" \
      "%T AS" "$remote AS" "%T WHERE" "$remote AS t0 WHERE"] $query]
    set local [string map [list "%T.transaction_id" "t0.transaction_id" \
      "%T AS" "copy AS" "%T WHERE" "copy AS t0 WHERE"] $query]
    set want [catchsql $local]
    set got [catchsql $ask]
    if {$want ne $got} {
      harness_check $name.$i "$local\n$want" "$ask\n$got\n[query_plan $ask]" 0
    } else {
      harness_check $name.$i 1 1
    }
  }
}
