-- Writes an audit report to hand to others: one HTML file that needs nothing else, no
-- network and no script. It tells what sql/audit.sql found, and what the ledger says of
-- itself: identity and key, entries per sub-ledger and over time, the outcome of the
-- verification with every failure, what was lost, changes of the key, nodes and their
-- quotes, users and roles.
--
--     sqlite3 -cmd '.load ./build/ledger' audit.db < sql/audit.sql
--     sqlite3 -cmd '.load ./build/ledger' audit.db < sql/report.sql
--
-- The ledger is that of LEDGER_URL and LEDGER_OPTIONS, or one attached before; another
-- than the one attached as main, and another file than report.html:
--     -cmd "SELECT ledger_attach('my-ledger', 'pay')"
--     -cmd ".parameter set :ledger \"'pay'\""
--     -cmd ".parameter set :file \"'pay.html'\""
--
-- Only that file is written; an older one is replaced. It shows the beginning of the
-- newest ten entries and of those that failed: whoever has it can read these. The exit
-- status is 1 where an entry is not proven or was lost, as that of sql/audit.sql.

.bail on
SELECT 1 WHERE NOT ledger_check(/* load the module first: .load ./build/ledger */);
SELECT 1 WHERE NOT ledger_require(
  EXISTS(SELECT 1 FROM main.sqlite_schema WHERE name = 'audit_lost'),
  'no audit in this file: run sql/audit.sql on it first');

WITH asked AS MATERIALIZED (
  SELECT ledger_ping(coalesce(:ledger, 'main')) AS answer
), now AS MATERIALIZED (
  SELECT i.ledger, i.ledger_id, i.certificate, i.key_sha256, i.not_before, i.not_after,
         i.source, i.identity_url, p.answer ->> '$.url' AS url,
         p.answer ->> '$.api_version' AS api_version,
         strftime('%Y-%m-%d %H:%M UTC', 'now') AS time
    FROM asked AS p CROSS JOIN ledger_identity AS i ON i.ledger = p.answer ->> '$.ledger'
), run AS MATERIALIZED (
  SELECT r.run, r.key_sha256, r.anchor_source, r.module_version,
         strftime('%Y-%m-%d %H:%M UTC', r.time_utc) AS time, lag(r.key_sha256) OVER (ORDER BY r.run) AS key_was,
         count(*) OVER () AS runs, first_value(strftime('%Y-%m-%d %H:%M UTC', r.time_utc)) OVER (ORDER BY r.run) AS began
    FROM main.audit_run AS r WHERE r.ledger_id = (SELECT ledger_id FROM now)
), last AS MATERIALIZED (
  SELECT * FROM run ORDER BY run DESC LIMIT 1
), found AS NOT MATERIALIZED (
  SELECT a.*, CASE WHEN a.receipt_valid IS NULL THEN 'no receipt'
                   WHEN NOT a.receipt_valid THEN 'invalid'
                   WHEN a.verified THEN 'verified' ELSE a.content END AS finding
    FROM main.audit AS a WHERE a.ledger_id = (SELECT ledger_id FROM now)
), lost AS (
  SELECT l.*, r.time FROM main.audit_lost AS l LEFT JOIN run AS r ON r.run = l.lost_run
   WHERE l.ledger_id = (SELECT ledger_id FROM now)
), kind(n, finding, meaning) AS (VALUES
  (1, 'verified', 'The receipt is valid and shows these very contents.'),
  (2, 'recorded', 'Valid; what it says of the contents is recorded, but not shown.'),
  (3, 'unbound', 'Valid; it proves that the transaction exists, not what it says.'),
  (4, 'invalid', 'The receipt does not prove the entry.'),
  (5, 'no receipt', 'The ledger gave none.')
), outcome AS MATERIALIZED (
  SELECT k.n, k.finding, k.meaning, count(f.finding) AS entries
    FROM kind AS k LEFT JOIN found AS f ON f.finding = k.finding GROUP BY k.n
), total AS MATERIALIZED (
  SELECT sum(entries) AS entries, sum(entries) FILTER (WHERE n = 1) AS verified,
         sum(entries) FILTER (WHERE n IN (2, 3)) AS unshown,
         sum(entries) FILTER (WHERE n > 3) AS failed,
         (SELECT count(*) FROM lost) AS lost,
         (SELECT max(seqno) FROM found) AS to_seqno
    FROM outcome
), bin AS MATERIALIZED (
  -- Of the chart: at most 60 bars, of `width` seqnos each.
  SELECT (f.seqno - 1) / w.width AS n, w.width, count(*) AS entries,
         count(*) FILTER (WHERE f.finding IN ('invalid', 'no receipt')) AS failed
    FROM (SELECT (to_seqno + 59) / 60 AS width FROM total) AS w, found AS f
   GROUP BY 1
), scale AS MATERIALIZED (
  SELECT max(entries) AS entries, max(width) AS width, max(n) + 1 AS bars FROM bin
), shown AS NOT MATERIALIZED (
  -- The beginning of contents; control characters in them as JSON writes them.
  SELECT ledger, sub_ledger, transaction_id,
         substr(text, 1, 200) || iif(length(text) > 200, ' ...', '') AS text
    FROM (SELECT *, iif(instr(contents, char(0)) OR contents GLOB '*[' || char(1) || '-'
                          || char(8, 11, 12, 14) || '-' || char(31) || ']*',
                        json_quote(contents), contents) AS text, ledger
            FROM ledger_entries)
), newest AS (
  SELECT * FROM found ORDER BY seqno DESC LIMIT 10

-- Rows of the tables, their cells a JSON array; the tables, the class and the name of
-- each column, and whether there is one.
), line(section, n, tone, cells) AS (
  SELECT 300, n, CASE WHEN entries = 0 THEN '' WHEN n > 3 THEN 'bad' WHEN n > 1 THEN 'fair'
                      ELSE 'good' END,
         json_array(finding, printf('%,d', entries), meaning)
    FROM outcome
  UNION ALL
  SELECT 400, f.seqno, '', json_array(f.transaction_id, f.sub_ledger, f.finding,
           f.code || coalesce(': ' || f.reason, ''),
           (SELECT e.text FROM shown AS e
             WHERE e.ledger = n.ledger AND e.sub_ledger = f.sub_ledger
               AND e.transaction_id = f.transaction_id))
    FROM now AS n CROSS JOIN found AS f
   WHERE f.finding IN ('invalid', 'no receipt')
  UNION ALL
  SELECT 500, seqno, '', json_array(transaction_id, sub_ledger, lost_run, time) FROM lost
  UNION ALL
  SELECT 600, row_number() OVER (ORDER BY sub_ledger), '',
         json_array(sub_ledger, iif(entries, printf('%,d', entries), 'not audited'),
                    iif(entries, printf('%,d', verified), NULL),
                    iif(entries, printf('%,d', failed), NULL), first, newest)
    FROM (SELECT sub_ledger, sum(entries) AS entries, sum(verified) AS verified,
                 sum(failed) AS failed, max(first) AS first, max(newest) AS newest
            FROM (SELECT f.sub_ledger, count(*) AS entries, sum(f.verified) AS verified,
                         sum(f.finding IN ('invalid', 'no receipt')) AS failed,
                         (SELECT g.transaction_id FROM found AS g
                           WHERE g.sub_ledger = f.sub_ledger ORDER BY g.seqno LIMIT 1) AS first,
                         (SELECT g.transaction_id FROM found AS g
                           WHERE g.sub_ledger = f.sub_ledger
                           ORDER BY g.seqno DESC LIMIT 1) AS newest
                    FROM found AS f GROUP BY f.sub_ledger
                  UNION ALL
                  SELECT s.sub_ledger, 0, 0, 0, NULL, NULL
                    FROM now AS n CROSS JOIN ledger_sub_ledgers AS s ON s.ledger = n.ledger
                   WHERE n.api_version >= '2022-04-20' AND s.sub_ledger <> 'subledger:0')
           GROUP BY sub_ledger)
  UNION ALL
  SELECT 800, -f.seqno, '', json_array(f.transaction_id, f.sub_ledger, f.finding,
           (SELECT e.text FROM shown AS e
             WHERE e.ledger = n.ledger AND e.sub_ledger = f.sub_ledger
               AND e.transaction_id = f.transaction_id))
    FROM now AS n CROSS JOIN newest AS f
  UNION ALL
  SELECT 900, run, '', json_array(run, time, key_sha256, replace(anchor_source, '_', ' '))
    FROM run WHERE key_was IS NOT key_sha256
  UNION ALL
  SELECT 1000, row_number() OVER (ORDER BY q.node_id), '',
         json_array(q.node_id, q.measurement, CASE q.debug WHEN 0 THEN 'no' WHEN 1 THEN 'YES' END,
                    CASE q.binds_node WHEN 1 THEN 'yes' WHEN 0 THEN 'NO' ELSE 'not known' END,
                    iif(q.is_current, 'yes', 'no'))
    FROM now AS n CROSS JOIN ledger_enclave_quotes AS q ON q.ledger = n.ledger
  UNION ALL
  SELECT 1100, row_number() OVER (ORDER BY u.user_id), '',
         json_array(u.user_id, (SELECT group_concat(value, ', ') FROM json_each(u.roles)))
    FROM now AS n CROSS JOIN ledger_users AS u ON u.ledger = n.ledger
   WHERE n.api_version >= '2024-01-26'
  UNION ALL
  SELECT 1110, row_number() OVER (ORDER BY r.role), '',
         json_array(r.role, CASE r.role
           WHEN 'Administrator' THEN 'read, append, and say who may what'
           WHEN 'Contributor' THEN 'read and append' WHEN 'Reader' THEN 'read'
           ELSE (SELECT group_concat(value, ', ') FROM json_each(
                  (SELECT l.role_actions FROM ledger_roles AS l
                    WHERE l.ledger = r.ledger AND l.role_name = r.role))) END)
    FROM (SELECT DISTINCT n.ledger, e.value AS role
            FROM now AS n CROSS JOIN ledger_users AS u ON u.ledger = n.ledger
            JOIN json_each(u.roles) AS e
           WHERE n.api_version >= '2024-01-26') AS r
), board(section, shown, classes, labels) AS (
  SELECT 300, 1, '["word","n",""]', '["Finding","Entries","Meaning"]'
  UNION ALL
  SELECT 400, failed, '["id","name","word","text","text"]',
         '["Entry","Sub-ledger","Finding","Why","Contents"]' FROM total
  UNION ALL
  SELECT 500, lost, '["id","name","",""]', '["Entry","Sub-ledger","Missed in run","Time"]'
    FROM total
  UNION ALL
  SELECT 600, 1, '["name","n","n","n","id","id"]',
         '["Name","Entries","Verified","Failed","First","Newest"]'
  UNION ALL
  SELECT 800, entries, '["id","name","word","text"]',
         '["Entry","Sub-ledger","Finding","Contents"]' FROM total
  UNION ALL
  SELECT 900, 1, '["word","word","hash","word"]', '["Since run","Time","Key","Known from"]'
  UNION ALL
  SELECT 1000, 1, '["hash","hash","","",""]',
         '["Node","Measurement of its code","Debug","Quote names this node","Answers now"]'
  UNION ALL
  SELECT 1100, api_version >= '2024-01-26', '["hash",""]', '["User","Roles"]' FROM now
  UNION ALL
  SELECT 1110, api_version >= '2024-01-26', '["word",""]', '["Role","May"]' FROM now

-- The page: parts in the order of section, rank and n. `cells` is a JSON array of what
-- comes from the ledger or the file; it is escaped in one place, below. What stands
-- around them, `before`, `glue` and `after`, is constant, or numbers.
), part(section, rank, n, before, cells, glue, after) AS (
  SELECT b.section, 1, 0, '<div class="scroll"><table><thead><tr>', b.labels, 'th',
         '</tr></thead><tbody>
' FROM board AS b WHERE b.shown
  UNION ALL
  SELECT l.section, 2, l.n, '<tr class="' || l.tone || '">', l.cells, 'td', '</tr>
' FROM line AS l
  UNION ALL
  SELECT b.section, 3, 0, '</tbody></table></div>
', '[]', '', '' FROM board AS b WHERE b.shown

  UNION ALL
  SELECT 100, 0, 0, '<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src ''none''; style-src ''unsafe-inline''">
<title>Audit of ledger ', json_array(ledger_id), '', '</title>
<style>
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --text: #1c2128;
  --faint: #5b6572; --line: #dde1e7; --good: #1a7f4b; --fair: #9a6700; --bad: #c4302b;
  --bar: #4178be; --edge: #0003; }
@media (prefers-color-scheme: dark) { :root { --page: #14171c; --card: #1d2127;
  --text: #e3e7ed; --faint: #98a2b0; --line: #343b45; --good: #4cc38a; --fair: #e0b04a;
  --bad: #ff7a70; --bar: #6ea2e6; --edge: #0009; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 0 0 .75rem; font-size: 1.1rem; }
p { margin: 0 0 .75rem; } section > p:last-child { margin-bottom: 0; }
section, .verdict { background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; padding: 1.1rem 1.25rem; margin-top: 1rem; }
.warning { color: var(--bad); margin: .75rem 0 0; }
.when, .note { color: var(--faint); }
.when { margin: .25rem 0 1.25rem; }
.note { font-size: .87rem; margin: .75rem 0 0; }
.verdict { border-left: 6px solid var(--tone); font-size: 1.1rem; }
.verdict b { color: var(--tone); }
.good { --tone: var(--good); } .fair { --tone: var(--fair); } .bad { --tone: var(--bad); }
dl { display: grid; grid-template-columns: 11rem 1fr; gap: .35rem 1rem; margin: 0; }
dt { color: var(--faint); } dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; /* its edge is dark where there is more */
  background: linear-gradient(to right, var(--card) 40%, transparent),
    linear-gradient(to left, var(--card) 40%, transparent) 100% 0,
    linear-gradient(to right, var(--edge), transparent),
    linear-gradient(to left, var(--edge), transparent) 100% 0;
  background-size: 3rem 100%, 3rem 100%, 1rem 100%, 1rem 100%;
  background-repeat: no-repeat; background-attachment: local, local, scroll, scroll; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th { text-align: left; font-weight: 600; color: var(--faint); white-space: nowrap; }
th, td { padding: .4rem 1.25rem .4rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
tbody tr:last-child td { border-bottom: 0; }
td { overflow-wrap: anywhere; unicode-bidi: isolate; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.id, .hash { font-family: ui-monospace, "Liberation Mono", Menlo, Consolas, monospace;
  font-size: .85rem; }
th.hash { font: inherit; font-weight: 600; }
.id, .word { white-space: nowrap; }
td.hash { min-width: 15rem; }
td.name { min-width: 9rem; white-space: pre-wrap; }
td.text { min-width: 13rem; white-space: pre-wrap; }
.scroll + .scroll { margin-top: 1rem; }
tr:is(.good, .fair, .bad) td:first-child { color: var(--tone); font-weight: 600; }
svg { display: block; width: 100%; height: 9rem; border-bottom: 1px solid var(--faint); }
svg .all { fill: var(--bar); } svg .failed { fill: var(--bad); }
.axis { display: flex; justify-content: space-between; color: var(--faint);
  font-size: .85rem; }
ul { margin: 0; padding-left: 1.2rem; }
footer { color: var(--faint); font-size: .85rem; margin-top: 1.5rem; }
@media (max-width: 40rem) { main { padding: 1.25rem .75rem 2rem; }
  section, .verdict { padding: .9rem; } dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .6rem; } svg { height: 7rem; }
  thead { display: none; } table, tbody, tr, td { display: block; }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  tr:last-child { border-bottom: 0; }
  tr:first-child { padding-top: 0; }
  td, td.hash, td.name, td.text { border: 0; padding: .1rem 0; min-width: 0;
    white-space: normal; }
  td.n, td.id:not(:first-child) { display: inline-block; text-align: left; margin-right: 1rem; }
  td::before { content: attr(data-label) ": "; color: var(--faint);
    font: .85rem system-ui, sans-serif; } }
@media print { body { background: #fff; } main { max-width: none; padding: 0; }
  section { break-inside: avoid; } }
</style>
</head>
<body>
<main>
' FROM now
  UNION ALL
  SELECT 110, 0, 0, '<h1>Audit of ledger ', json_array(ledger_id), '', '</h1>
' FROM now
  UNION ALL
  SELECT 120, 0, 0, '<p class="when">', json_array('Written ' || n.time
           || '; entries audited up to ' || l.time || ' (run ' || l.run || ')'), '', '</p>
' FROM now AS n, last AS l
  UNION ALL
  SELECT 130, 0, 0, '<div class="verdict ' || CASE WHEN failed + lost THEN 'bad'
           WHEN unshown OR NOT entries THEN 'fair' ELSE 'good' END || '"><b>',
         CASE WHEN failed + lost THEN json_array('Not all is proven.',
           printf('Entries audited: %,d. Without a valid receipt: %,d.', entries, failed)
           || iif(lost, printf(' Lost by the ledger: %,d.', lost), ''))
         WHEN NOT entries THEN json_array('Nothing was audited.', 'The audit found no entry.')
         WHEN unshown THEN json_array('Every receipt is valid.',
           printf('Entries audited: %,d. Proven: %,d. Of the other %,d the receipts show that there is an entry, not what it says.',
                  entries, verified, unshown))
         ELSE json_array('Every entry is proven.',
           printf('Entries audited: %,d. Each has a valid receipt that shows its contents.',
                  entries)) END,
         '</b> ', '</div>
' FROM total

  UNION ALL
  SELECT 200, 0, 0, '<section><h2>Identity</h2>
<dl>', '[]', '', ''
  UNION ALL
  SELECT 200, 1, i.n, '<dt>' || i.label || iif(i.n = 4, '</dt><dd class="hash">', '</dt><dd>'),
         json_array(i.value), '', '</dd>
' FROM (SELECT 1 AS n, 'Ledger' AS label, ledger_id AS value FROM now
        UNION ALL SELECT 2, 'Address', url FROM now
        UNION ALL SELECT 3, 'API version', api_version FROM now
        UNION ALL SELECT 4, 'Service key', key_sha256 FROM now
        UNION ALL SELECT 5, 'Known from', CASE source
                      WHEN 'pinned' THEN 'pinned by whoever made this report'
                      WHEN 'identity_service' THEN 'the identity service, ' || identity_url
                      ELSE source END FROM now
        UNION ALL SELECT 6, 'Certificate', date(not_before) || ' to ' || date(not_after)
                    FROM now
        UNION ALL SELECT 7, 'Read as', a.credential || coalesce(', ' || a.principal, '')
                    FROM now AS n JOIN ledger_attached AS a ON a.name = n.ledger) AS i
  UNION ALL
  SELECT 200, 2, 0, '</dl>
<p class="note">Compare the key with one that you have from elsewhere: nothing in this page proves whose it is.</p>
</section>
', '[]', '', ''

  UNION ALL
  SELECT 300, 0, 0, '<section><h2>Verification</h2>
', '[]', '', ''
  UNION ALL
  SELECT 300, 4, 0, '<p class="note">Each receipt was verified against the service key by which the ledger was trusted in the run that audited the entry: the hash of the entry leads to a root that a node has signed, and the service key stands behind that node.</p>
</section>
', '[]', '', ''

  UNION ALL
  SELECT 400, 0, 0, '<section><h2>Failures</h2>
' || iif(failed, '', '<p>No entry failed.</p>
'), '[]', '', '' FROM total
  UNION ALL
  SELECT 400, 4, 0, '</section>
', '[]', '', ''

  UNION ALL
  SELECT 500, 0, 0, '<section><h2>Lost</h2>
<p>The ledger no longer has these entries, which an earlier run has audited: it was recovered from an older state, or made anew.</p>
', '[]', '', '' FROM total WHERE lost
  UNION ALL
  SELECT 500, 4, 0, '</section>
', '[]', '', '' FROM total WHERE lost

  UNION ALL
  SELECT 600, 0, 0, '<section><h2>Sub-ledgers</h2>
', '[]', '', ''
  UNION ALL
  SELECT 600, 4, 0, printf('<p class="note">Entries appended after the last run, which are not in this report: %,d.</p>
</section>
', (SELECT count(*) FROM now AS n CROSS JOIN ledger_entries AS e
        ON e.ledger = n.ledger AND e.seqno > coalesce(t.to_seqno, 0))), '[]', '', ''
    FROM total AS t

  UNION ALL
  SELECT 700, 0, 0, printf('<section><h2>Entries over the ledger''s sequence</h2>
<div class="axis"><span>Tallest bar: %,d</span></div>
<svg id="chart" viewBox="0 0 %d 100" preserveAspectRatio="none" role="img" aria-label="Bar chart: entries in the order of their sequence numbers">
', entries, bars * 10), '[]', '', '' FROM scale WHERE bars
  UNION ALL
  SELECT 700, 1, b.n,
         printf('<g><title>%,d to %,d: entries %,d, failed %,d</title><rect class="all" x="%d" y="%.2f" width="8" height="%.2f"/>',
                b.n * b.width + 1, (b.n + 1) * b.width, b.entries, b.failed,
                b.n * 10 + 1, 100 - 100.0 * b.entries / s.entries,
                100.0 * b.entries / s.entries)
         -- Where one of a thousand has failed, that is to be seen.
         || iif(b.failed, printf('<rect class="failed" x="%d" y="%.2f" width="8" height="%.2f"/>',
                b.n * 10 + 1, 100 - max(4, 100.0 * b.failed / s.entries),
                max(4, 100.0 * b.failed / s.entries)), ''),
         '[]', '', '</g>
' FROM bin AS b, scale AS s
  UNION ALL
  SELECT 700, 2, 0, printf('</svg>
<div class="axis"><span>1</span><span>sequence number</span><span>%,d</span></div>
<p class="note">Sequence numbers per bar: %,d. The ledger numbers its own transactions, too: signatures, users, governance. Red: without a valid receipt.</p>
</section>
', bars * width, width), '[]', '', '' FROM scale WHERE bars

  UNION ALL
  SELECT 800, 0, 0, '<section><h2>Newest entries</h2>
', '[]', '', '' FROM total WHERE entries
  UNION ALL
  SELECT 800, 4, 0, '</section>
', '[]', '', '' FROM total WHERE entries

  UNION ALL
  SELECT 900, 0, 0, '<section><h2>Service key</h2>
<p>', json_array(printf('Runs of the audit: %d, from %s to %s; ', runs, began, time)
           || iif((SELECT count(*) FROM run WHERE key_was <> key_sha256),
                  'the key has changed, as it does when a ledger is recovered.',
                  'the key has not changed.')), '', '</p>
' FROM last
  UNION ALL
  SELECT 900, 4, 0, '</section>
', '[]', '', ''

  UNION ALL
  SELECT 1000, 0, 0, '<section><h2>Nodes</h2>
', '[]', '', ''
  UNION ALL
  SELECT 1000, 4, 0, '<p class="warning">A node runs in debug mode: whoever owns its machine can read and change what it holds.</p>
', '[]', '', '' FROM now AS n
   WHERE EXISTS(SELECT 1 FROM ledger_enclave_quotes AS q WHERE q.ledger = n.ledger AND q.debug)
  UNION ALL
  SELECT 1000, 5, 0, '<p class="note">Read from the raw quotes. Their signature by the vendor, the state of the firmware and the age of the quotes are not checked here.</p>
</section>
', '[]', '', ''

  UNION ALL
  SELECT 1100, 0, 0, '<section><h2>Users and roles</h2>
' || iif(api_version >= '2024-01-26', '', '<p>This API version has no list of users.</p>
'), '[]', '', '' FROM now
  UNION ALL
  SELECT 1110, 4, 0, '</section>
', '[]', '', ''

  UNION ALL
  SELECT 1200, 0, 0, '<section><h2>Governance</h2>
<dl><dt>Constitution (SHA-256)</dt><dd class="hash">', json_array(c.digest), '', '</dd>
' FROM now AS n CROSS JOIN ledger_constitution AS c ON c.ledger = n.ledger
  UNION ALL
  SELECT 1200, 1, row_number() OVER (ORDER BY m.member_id), '<dt>Member</dt><dd class="hash">',
         json_array(m.member_id), '', '</dd>
' FROM now AS n CROSS JOIN ledger_members AS m ON m.ledger = n.ledger
  UNION ALL
  SELECT 1200, 2, 0, '</dl></section>
', '[]', '', ''

  UNION ALL
  SELECT 1300, 0, 0, '<section><h2>What this does not show</h2>
<ul><li>Who appended an entry: a node signs, not a user.</li><li>When it was appended.</li><li>That no entry is missing.</li><li>An entry''s tags.</li><li>That the enclaves are genuine.</li></ul>
</section>
<footer>', json_array('sqlite-ledger ' || ledger_version()
           || ', sql/report.sql. Receipts were verified by version ' || module_version || '.'),
         '', '</footer>
</main>
</body>
</html>
' FROM last

), escaped AS (
  SELECT p.*, (SELECT group_concat(
                 CASE p.glue WHEN 'td' THEN
                   printf('<td class="%s" data-label="%s">', b.classes ->> c.key, b.labels ->> c.key)
                 WHEN 'th' THEN printf('<th class="%s">', b.classes ->> c.key) ELSE '' END
                 || replace(replace(replace(replace(replace(coalesce(c.value, '-'),
                      '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;')
                 || CASE p.glue WHEN 'td' THEN '</td>' WHEN 'th' THEN '</th>' ELSE '' END,
                 iif(p.glue IN ('td', 'th'), '', p.glue))
                 FROM json_each(p.cells) AS c) AS text
    FROM part AS p LEFT JOIN board AS b ON b.section = p.section
)
SELECT printf('%s: %d bytes', coalesce(:file, 'report.html'),
              CASE (SELECT count(*) FROM last)
                WHEN 0 THEN ledger_require(0, 'no audit of this ledger in the file: run sql/audit.sql on it')
                -- (NULL where it can't, or not all of it.)
                ELSE coalesce(writefile(coalesce(:file, 'report.html'), group_concat(html, '')),
                              ledger_require(0, 'the report cannot be written to this file'))
              END) AS report
  FROM (SELECT before || coalesce(text, '') || after AS html FROM escaped
         ORDER BY section, rank, n LIMIT -1);

SELECT 1 WHERE NOT ledger_require(
  (SELECT NOT EXISTS(SELECT 1 FROM main.audit AS a
                      WHERE a.ledger_id = i.ledger_id AND a.receipt_valid IS NOT 1)
      AND NOT EXISTS(SELECT 1 FROM main.audit_lost AS l WHERE l.ledger_id = i.ledger_id)
     FROM (SELECT name FROM ledger_attached
            WHERE name = coalesce(:ledger, 'main') COLLATE NOCASE) AS a
    CROSS JOIN ledger_identity AS i ON i.ledger = a.name),
  'not all is proven: see the report');
