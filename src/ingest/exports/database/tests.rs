use super::*;

#[test]
fn an_answer_comes_row_by_row_and_an_error_is_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let made = rusqlite::Connection::open(&path).unwrap();
    made.execute_batch(
        "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x'), (NULL, x'00'), (1.5, 'y')",
    )
    .unwrap();
    let database = Database::sqlite("x.db", &path).unwrap();
    assert_eq!(database.columns("t").unwrap(), ["a", "b"]);
    assert!(database.columns("none").unwrap().is_empty());
    let rows = database.all("SELECT a, b FROM t ORDER BY rowid").unwrap();
    assert_eq!(rows[0], [Value::Whole(1), Value::Text("x".into())]);
    assert_eq!(rows[1], [Value::Null, Value::Other]);
    assert_eq!(rows[2], [Value::Real(1.5), Value::Text("y".into())]);
    assert!(database.all("SELECT c FROM t").is_err());
    assert!(
        database.all("DELETE FROM t").is_err(),
        "it is never written to"
    );
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n";
    assert_eq!(database.all(many).unwrap().len(), 5000);
    // An answer that nobody takes does not hold up the next.
    drop(database.ask(many));
    assert_eq!(database.all("SELECT 1").unwrap(), [[Value::Whole(1)]]);
    assert!(Database::sqlite("y.db", &folder.path().join("y.db")).is_err());
}

#[test]
fn a_password_is_never_shown() {
    for (url, shown) in [
        ("postgres://u:secret@h/db", "postgres://u@h/db"),
        (
            "postgresql://u@h:5433/db?password=secret",
            "postgresql://u@h:5433/db",
        ),
        (
            "postgres://u@%2Frun%2Fpostgresql/db",
            "postgres://u@%2Frun%2Fpostgresql/db",
        ),
        (
            "postgres:///db?host=/run/postgresql&password=secret",
            "postgres:///db",
        ),
        ("postgres://u:a@b:c@h/db", "postgres://u@h/db"),
    ] {
        assert_eq!(without_password(url), shown);
    }
    assert!(is_loopback("127.0.0.1") && is_loopback("::1") && is_loopback("localhost"));
    assert!(!is_loopback("db.example.org"));
}
