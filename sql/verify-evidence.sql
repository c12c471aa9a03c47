-- Verifies a file of sql/evidence.sql: offline, without a ledger, against a key
-- that the auditor has from elsewhere.
--
--     sqlite3 -readonly -cmd '.load ./build/ledger' \
--       -cmd ".parameter set :key \"'sha256:...'\"" \
--       evidence.db < sql/verify-evidence.sql
--
-- :key is the fingerprint of the service key; :certificate the service
-- certificate itself (.parameter set :certificate "readfile('service.pem')").
-- One of them is needed, both may be given. With the fingerprint alone the
-- certificates in the file are used, those that hold this key.
--
-- Every check is made anew: nothing in the file is believed except that its entries
-- are those in question, and which runs wrote them. If the service key changed
-- between two runs, the first line of the output says so; `ENTRIES LOST` names
-- entries that can't have been in one ledger with the later ones. A file whose rows
-- could be read in two ways, with views or damaged indexes in place of plain tables,
-- is refused. The exit status is 0 only if there are entries, and each has a valid
-- receipt under the key given; else it is 1, after everything has been printed. What
-- the file does not hold can't be noticed here: only the exit status of
-- sql/evidence.sql tells whether that script came to its end, and found entries in
-- the sub-ledger asked for.

.bail on

-- Ends here without the module.
SELECT 1 WHERE ledger_version(/* load the module first: .load ./build/ledger */) = '';
-- What an earlier run left in this session.
DROP VIEW IF EXISTS temp.judged; DROP TABLE IF EXISTS temp.auditor;
DROP TABLE IF EXISTS temp.checked;
DROP TABLE IF EXISTS temp.verdict; DROP TABLE IF EXISTS temp.outcome;

CREATE TEMP TABLE auditor AS
SELECT lower(trim(:key)) AS key, CAST(:certificate AS TEXT) AS certificate;
.parameter init
SELECT 1 WHERE NOT ledger_require(
  NOT EXISTS(SELECT 1 FROM sqlite_parameters WHERE key = ':certificate' AND value IS NULL),
  ':certificate is NULL: its file can''t be read');
SELECT 1 WHERE NOT ledger_require(
  (SELECT certificate IS NULL OR certificate LIKE '%-----BEGIN CERTIFICATE-----%'
     FROM temp.auditor),
  ':certificate is not PEM: .parameter set :certificate "readfile(''service.pem'')"');
SELECT 1 WHERE NOT ledger_require(
  (SELECT key IS NOT NULL OR certificate IS NOT NULL FROM temp.auditor),
  'give the service key: .parameter set :key "''sha256:...''"');
SELECT 1 WHERE NOT ledger_require(
  (SELECT key IS NULL OR (key GLOB 'sha256:*' AND length(key) = 71
                          AND substr(key, 8) NOT GLOB '*[^0-9a-f]*')
     FROM temp.auditor),
  ':key is sha256: and 64 hex digits');

-- What is verified here must be what others read in the file: no view, no
-- computed column, no index that hides a row.
SELECT 1 WHERE NOT ledger_require(
  NOT EXISTS(SELECT 1 FROM pragma_integrity_check WHERE integrity_check <> 'ok'),
  'the file is damaged: PRAGMA integrity_check');
SELECT 1 WHERE NOT ledger_require(
  (SELECT count(*) FROM sqlite_schema AS s
    WHERE type = 'table' AND rootpage > 0
      AND name IN ('evidence_run', 'service_certificate', 'entry', 'receipt')
      AND NOT EXISTS(SELECT 1 FROM pragma_table_xinfo(s.name) WHERE hidden)) = 4,
  'this is not evidence: plain tables are expected');
SELECT 1 WHERE NOT ledger_require(
  (SELECT count(*) = count(DISTINCT transaction_id) FROM entry),
  'this is not evidence: an entry appears twice or has no id');
SELECT 1 WHERE NOT ledger_require(
  NOT EXISTS(SELECT 1 FROM evidence_run
              WHERE ledger_id || time_utc || key_sha256 GLOB '*[^ -~]*'),
  'this is not evidence: control characters in evidence_run');

SELECT 'SERVICE KEY CHANGED ' || was || ' -> ' || key_sha256
  FROM (SELECT run, key_sha256, lag(key_sha256) OVER (ORDER BY run) AS was
          FROM evidence_run)
 WHERE was <> key_sha256
 ORDER BY run;

-- Views rise with seqnos, unless entries were lost.
SELECT printf('ENTRIES LOST: %d entries, %s to %s, are of an older view than entries before them: the ledger lost them (a recovery from an older state, or a ledger made anew); only the key of then shows them',
              count(*), min(transaction_id COLLATE ledger_txid),
              max(transaction_id COLLATE ledger_txid))
  FROM (SELECT transaction_id, view < max(view) OVER (ORDER BY seqno) AS is_lost
          FROM entry)
 WHERE is_lost HAVING count(*);

-- Each receipt against the auditor's certificate, or the one kept beside it.
CREATE TEMP TABLE checked AS
SELECT e.transaction_id, e.seqno,
       ledger_verify_receipt(nullif(r.receipt, ''),
         coalesce(a.certificate, nullif(c.certificate, '')),
         json_object('application_claims', r.application_claims,
                     'transaction_id', e.transaction_id,
                     'entry', json_object('sub_ledger', e.sub_ledger,
                                          'contents', e.contents))) AS report
  FROM temp.auditor AS a
 CROSS JOIN entry AS e
  JOIN receipt AS r ON r.transaction_id = e.transaction_id
  JOIN service_certificate AS c ON c.id = r.service_certificate;
CREATE TEMP VIEW judged AS
SELECT c.transaction_id, c.seqno,
       c.report ->> '$.content' AS content,
       c.report ->> '$.anchor.endorsements' AS endorsements,
       coalesce(c.report ->> '$.anchor.key_sha256' = a.key, 1) AS key_fits,
       c.report ->> '$.valid' AS valid,
       c.report ->> '$.code' AS code, c.report ->> '$.reason' AS reason,
       c.report ->> '$.anchor.key_sha256' AS key
  FROM checked AS c, auditor AS a
 WHERE c.report IS NOT NULL; -- it is where there is no receipt, or no certificate

-- An entry may have receipts under several keys: the one that shows most.
CREATE TEMP TABLE verdict AS
SELECT e.transaction_id, e.seqno, e.sub_ledger, j.endorsements,
       CASE WHEN j.transaction_id IS NULL THEN 'no receipt'
            WHEN NOT j.key_fits THEN 'other key'
            WHEN NOT j.valid OR NOT e.placed THEN 'invalid'
            WHEN j.content = 'bound' THEN 'verified'
            ELSE j.content END AS finding,
       CASE WHEN NOT j.key_fits THEN 'other_key'
            WHEN j.valid AND NOT e.placed THEN 'other_transaction'
            ELSE j.code END AS code,
       CASE WHEN NOT j.key_fits
            THEN 'its receipt was verified against the key ' || j.key
            WHEN j.valid AND NOT e.placed
            THEN 'its view and seqno are not those of its id'
            ELSE j.reason END AS reason,
       row_number() OVER (PARTITION BY e.transaction_id
         ORDER BY coalesce(j.key_fits AND j.valid, 0) DESC,
                  j.content = 'bound' DESC, j.key_fits DESC, j.endorsements) AS best
  FROM (SELECT *, printf('%d.%d', view, seqno) IS transaction_id AS placed
          FROM entry) AS e
  LEFT JOIN temp.judged AS j ON j.transaction_id = e.transaction_id;
DELETE FROM verdict WHERE best > 1;

SELECT printf('ledger %s: %d entries, %s from %s to %s; verified against %s',
              min(n.ledger_id), (SELECT count(*) FROM entry),
              iif(count(*) = 1, '1 run', count(*) || ' runs'),
              min(n.time_utc), max(n.time_utc),
              (SELECT coalesce(key, 'the certificate given') FROM temp.auditor))
  FROM evidence_run AS n;
WITH kind(n, finding, meaning) AS (VALUES
  (1, 'verified', 'the receipt is valid and shows these very contents'),
  (2, 'recorded', 'valid; what it says of the contents is recorded, but not shown'),
  (3, 'unbound', 'valid; it proves that the transaction exists, not what it says'),
  (4, 'invalid', 'the receipt does not prove the entry: see below'),
  (5, 'other key', 'not shown by the key given: see below'),
  (6, 'no receipt', 'there is none in the file: see below'))
SELECT printf('%-11s%d  %s', k.finding, count(v.finding), k.meaning)
  FROM kind AS k LEFT JOIN temp.verdict AS v ON v.finding = k.finding
 GROUP BY k.n ORDER BY k.n;
SELECT printf('%d of the valid ones by the service key itself, %d through an endorsement of a former one',
              count(*) FILTER (WHERE endorsements = 0),
              count(*) FILTER (WHERE endorsements > 0))
  FROM temp.verdict WHERE finding IN ('verified', 'recorded', 'unbound');
-- (A name with a line break in it must not pass for a line of this output.)
SELECT printf('%s: %s in %s: %s: %s', finding,
              iif(transaction_id GLOB control, json_quote(transaction_id),
                  transaction_id),
              iif(sub_ledger GLOB control, json_quote(sub_ledger), sub_ledger),
              coalesce(code, 'no_receipt'),
              coalesce(reason, 'there is no receipt for this transaction'))
  FROM temp.verdict, (SELECT '*[' || char(1) || '-' || char(31) || ']*' AS control)
 WHERE finding IN ('invalid', 'other key', 'no receipt')
 ORDER BY seqno;
SELECT 'A receipt shows neither who appended an entry (a node signs, not a user), nor when,';
SELECT 'nor that none is missing, nor its tags, nor that the enclave is genuine.';
SELECT 'Verified are the rows of the table entry; what its views and other tables tell is not checked.';

-- What this run made in temp goes; what is wrong stays known, by changes(). The exit
-- status is 1 then.
CREATE TEMP TABLE outcome AS
SELECT finding FROM temp.verdict WHERE finding IN ('invalid', 'other key', 'no receipt')
UNION ALL
SELECT NULL WHERE NOT EXISTS(SELECT 1 FROM entry);
DELETE FROM temp.outcome;
DROP VIEW IF EXISTS temp.judged; DROP TABLE IF EXISTS temp.auditor;
DROP TABLE IF EXISTS temp.checked;
DROP TABLE IF EXISTS temp.verdict; DROP TABLE IF EXISTS temp.outcome;
SELECT 1 WHERE NOT ledger_require(changes() = 0,
  iif((SELECT count(*) FROM entry),
      'not every entry is shown by a valid receipt: see above',
      'there is no entry in the file'));
