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
-- Every check is made anew: nothing in the file is believed but that its entries
-- are those in question. A service key that changed between two runs is the
-- first line of the output.

.bail on
.headers off
.mode list

CREATE TEMP TABLE auditor(
  key TEXT, certificate TEXT,
  CONSTRAINT [give the service key: .parameter set :key "'sha256:...'"]
    CHECK(key IS NOT NULL OR certificate IS NOT NULL),
  CONSTRAINT [:key is sha256: and 64 hex digits]
    CHECK(key IS NULL OR (key GLOB 'sha256:*' AND length(key) = 71
                          AND substr(key, 8) NOT GLOB '*[^0-9a-f]*')));
INSERT INTO auditor
SELECT lower(trim(:key)), CAST(:certificate AS TEXT);

SELECT 'SERVICE KEY CHANGED ' || a.key_sha256 || ' -> ' || b.key_sha256
  FROM evidence_run AS a JOIN evidence_run AS b ON b.run = a.run + 1
 WHERE a.key_sha256 <> b.key_sha256
 ORDER BY a.run;

-- Each receipt against the auditor's certificate, or the one kept beside it.
CREATE TEMP TABLE checked AS
SELECT e.transaction_id, e.seqno,
       ledger_verify_receipt(r.receipt, coalesce(a.certificate, c.certificate),
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
  FROM checked AS c, auditor AS a;

-- An entry may have receipts under several keys: the one that shows most.
CREATE TEMP TABLE verdict AS
SELECT e.transaction_id, e.seqno, e.sub_ledger, j.endorsements,
       CASE WHEN j.transaction_id IS NULL THEN 'no receipt'
            WHEN NOT j.key_fits THEN 'other key'
            WHEN NOT j.valid THEN 'invalid'
            WHEN j.content = 'bound' THEN 'verified'
            ELSE j.content END AS finding,
       CASE WHEN NOT j.key_fits THEN 'other_key' ELSE j.code END AS code,
       CASE WHEN NOT j.key_fits
            THEN 'its receipt was verified against the key ' || j.key
            ELSE j.reason END AS reason,
       row_number() OVER (PARTITION BY e.transaction_id
         ORDER BY coalesce(j.key_fits AND j.valid, 0) DESC,
                  j.content = 'bound' DESC, j.key_fits DESC, j.endorsements) AS best
  FROM entry AS e LEFT JOIN temp.judged AS j
    ON j.transaction_id = e.transaction_id;
DELETE FROM verdict WHERE best > 1;

SELECT printf('ledger %s: %d entries, %d runs from %s to %s; verified against %s',
              min(n.ledger_id), (SELECT count(*) FROM entry), count(*),
              min(n.time_utc), max(n.time_utc),
              (SELECT coalesce(key, 'the certificate given') FROM temp.auditor))
  FROM evidence_run AS n;
SELECT printf('%-11s%d  %s', k.finding, count(v.finding), k.meaning)
  FROM (SELECT 1 AS n, 'verified' AS finding,
               'the receipt is valid and shows these very contents' AS meaning
        UNION ALL SELECT 2, 'recorded',
               'valid; what it says of the contents is recorded, but not shown'
        UNION ALL SELECT 3, 'unbound',
               'valid; it proves that the transaction exists, not what it says'
        UNION ALL SELECT 4, 'invalid',
               'the receipt does not prove the entry: see below'
        UNION ALL SELECT 5, 'other key',
               'not shown by the key given: see below'
        UNION ALL SELECT 6, 'no receipt', 'there is none in the file: see below'
       ) AS k
  LEFT JOIN temp.verdict AS v ON v.finding = k.finding
 GROUP BY k.n ORDER BY k.n;
SELECT printf('%d of the valid ones by the service key itself, %d through an endorsement of a former one',
              count(*) FILTER (WHERE endorsements = 0),
              count(*) FILTER (WHERE endorsements > 0))
  FROM temp.verdict WHERE finding IN ('verified', 'recorded', 'unbound');
SELECT printf('%s: %s in %s: %s: %s', finding, transaction_id, sub_ledger,
              coalesce(code, 'no_receipt'),
              coalesce(reason, 'there is no receipt for this transaction'))
  FROM temp.verdict WHERE finding IN ('invalid', 'other key', 'no receipt')
 ORDER BY seqno;
SELECT 'A receipt shows neither who appended an entry (a node signs, not a user), nor when,';
SELECT 'nor that none is missing, nor its tags, nor that the enclave is genuine.';
