-- erasures: recipients whose data was asked to be erased. Grain: one row per request (FINAL).
CREATE TABLE IF NOT EXISTS {database}.erasures{on_cluster}
(
    erasure_id    UUID,
    recipient_key UInt64,
    asked         DateTime64(3, 'UTC'),
    done          Nullable(DateTime64(3, 'UTC')),
    detail        String,
    updated       DateTime64(3, 'UTC')
)
ENGINE = {engine:ReplacingMergeTree(updated)}
ORDER BY erasure_id
