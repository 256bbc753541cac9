//! not committed
use std::sync::Arc;
use std::time::Instant;
use arrow::array::*;
use arrow::datatypes::*;
use datafusion::prelude::*;
use datafusion::datasource::MemTable;

fn rng(s: &mut u64) -> u64 { *s ^= *s << 13; *s ^= *s >> 7; *s ^= *s << 17; *s }

pub fn table(days: usize, buckets: usize, parts: usize) -> (Vec<Vec<RecordBatch>>, Arc<Schema>) {
    let schema = Arc::new(Schema::new(vec![
        Field::new("day", DataType::Date32, false),
        Field::new("bucket", DataType::Int32, false),
        Field::new("users", DataType::BinaryView, true),
        Field::new("messages", DataType::List(Arc::new(Field::new("item", DataType::BinaryView, true))), true),
    ]));
    let mut s = 88172645463325252u64;
    let mut out = vec![vec![]; parts];
    let mut n = 0;
    let mut total = 0u64;
    for chunk in (0..days).collect::<Vec<_>>().chunks(64) {
        let mut day = Vec::new(); let mut bucket = Vec::new();
        let mut users = BinaryViewBuilder::new();
        let mut messages = ListBuilder::new(BinaryViewBuilder::new());
        for d in chunk { for b in 0..buckets {
            day.push(14610 + *d as i32); bucket.push(b as i32);
            // a quarter to an eighth of ids, later ids join later
            let joined = 1024.min(200 + 824 * d / days + 1);
            let mut w = vec![0u64; 1024];
            for x in w[..joined].iter_mut() { *x = rng(&mut s) & rng(&mut s) & (rng(&mut s) | rng(&mut s) ); }
            total += w.iter().map(|w| w.count_ones() as u64).sum::<u64>();
            users.append_value(crate::bitmap::encode(&w));
            for _ in 0..5 {
                let p: Vec<u64> = w.iter().map(|x| x & rng(&mut s)).collect();
                messages.values().append_value(crate::bitmap::encode(&p));
            }
            messages.append(true);
        }}
        let batch = RecordBatch::try_new(schema.clone(), vec![
            Arc::new(Date32Array::from(day)), Arc::new(Int32Array::from(bucket)), Arc::new(users.finish()), Arc::new(messages.finish())]).unwrap();
        out[n % parts].push(batch); n += 1;
    }
    println!("user-days {total}");
    (out, schema)
}

#[test]
#[ignore]
fn timing() {
    let threads: usize = std::env::var("THREADS").ok().and_then(|t| t.parse().ok()).unwrap_or(2);
    let only = std::env::var("ONLY").unwrap_or_default();
    let reps: usize = std::env::var("REPS").ok().and_then(|t| t.parse().ok()).unwrap_or(5);
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap();
    rt.block_on(async move {
        let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(threads));
        crate::bitmap::functions::register(&ctx, chrono::Weekday::Mon);
        let (parts, schema) = table(1800, 8, threads);
        ctx.register_table("activity", Arc::new(MemTable::try_new(schema, parts).unwrap())).unwrap();
        let weeks = "SELECT bucket, period_start(day, 'week') AS w, bitmap_union(users) AS u FROM activity GROUP BY 1, 2";
        let qs = [
            ("DAU", "SELECT day, sum(bitmap_count(users)) FROM activity GROUP BY day ORDER BY day".to_string()),
            ("MAU", "SELECT m, sum(c) FROM (SELECT period_start(day, 'month') AS m, bucket, bitmap_union_count(users) AS c FROM activity GROUP BY 1, 2) GROUP BY m ORDER BY m".into()),
            ("growth", "WITH m AS (SELECT bucket, period_start(day, 'month') AS m, bitmap_union(users) AS u FROM activity GROUP BY 1, 2),
               w AS (SELECT m, u, lag(u) OVER (PARTITION BY bucket ORDER BY m) AS p, bitmap_union(u) OVER (PARTITION BY bucket ORDER BY m ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS s FROM m)
               SELECT m, sum(bitmap_count(u)), sum(bitmap_andnot_count(u, s)), sum(bitmap_and_count(u, p)), sum(bitmap_and_count(bitmap_andnot(u, p), s)), sum(bitmap_andnot_count(p, u)) FROM w GROUP BY m ORDER BY m".into()),
            ("L28", "SELECT bucket, bitmap_frequency(users) FROM activity WHERE day > DATE '2014-11-07' GROUP BY bucket".into()),
            ("frequency by month", "SELECT bucket, period_start(day, 'month'), bitmap_frequency(users) FROM activity GROUP BY 1, 2".into()),
            ("triangle", format!("WITH weeks AS ({weeks}), n AS (SELECT bucket, w, bitmap_andnot(u, s) AS c FROM (SELECT bucket, w, u, bitmap_union(u) OVER (PARTITION BY bucket ORDER BY w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS s FROM weeks))
               SELECT n.w, k.w, sum(bitmap_and_count(n.c, k.u)) FROM n JOIN weeks k ON n.bucket = k.bucket AND k.w >= n.w GROUP BY 1, 2")),
            ("triangle pairs", format!("WITH weeks AS ({weeks}) SELECT count(*) FROM weeks n JOIN weeks k ON n.bucket = k.bucket AND k.w >= n.w")),
            ("rolling 30", "SELECT day, sum(c) FROM (SELECT day, bitmap_rolling_count(users, 30) OVER (PARTITION BY bucket ORDER BY day) AS c FROM activity) GROUP BY day ORDER BY day".into()),
            ("rolling union 30", "SELECT sum(bitmap_count(u)) FROM (SELECT bitmap_rolling_union(users, 30) OVER (PARTITION BY bucket ORDER BY day) AS u FROM activity)".into()),
            ("running union daily", "SELECT sum(bitmap_count(u)) FROM (SELECT bitmap_union(users) OVER (PARTITION BY bucket ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS u FROM activity)".into()),
            ("carry", "SELECT sum(bitmap_count(u)) FROM (SELECT bitmap_carry(users, k) OVER (PARTITION BY bucket ORDER BY day) AS u FROM (SELECT *, lag(users) OVER (PARTITION BY bucket ORDER BY day) AS k FROM activity))".into()),
            ("messages per month", "SELECT m, sum(counts_sum(c)) FROM (SELECT period_start(day, 'month') AS m, bucket, counts_add(messages) AS c FROM activity GROUP BY 1, 2) GROUP BY m".into()),
            ("counts_sum", "SELECT sum(counts_sum(messages)) FROM activity".into()),
            ("histogram month", "SELECT counts_histogram(c, u) FROM (SELECT bucket, period_start(day, 'month'), counts_add(messages) AS c, bitmap_union(users) AS u FROM activity GROUP BY 1, 2)".into()),
            ("histogram daily", "SELECT sum(cardinality(counts_histogram(messages, users))) FROM activity".into()),
            ("restrict daily", "SELECT sum(counts_sum(counts_restrict(messages, users))) FROM activity".into()),
        ];
        for (name, sql) in qs {
            if !only.is_empty() && only != name { continue; }
            let mut best = f64::MAX; let mut rows = 0;
            for _ in 0..reps {
                let t = Instant::now();
                let b = ctx.sql(&sql).await.unwrap().collect().await.unwrap();
                best = best.min(t.elapsed().as_secs_f64());
                rows = b.iter().map(|b| b.num_rows()).sum::<usize>();
            }
            println!("{name:22} {:8.1} ms  {rows} rows", best * 1e3);
        }
    });
}

#[test]
#[ignore]
fn kernels() {
    use crate::bitmap::*;
    use std::hint::black_box;
    let mut s = 88172645463325252u64;
    let sets: Vec<Vec<u8>> = (0..64).map(|_| { let w: Vec<u64> = (0..1024).map(|_| rng(&mut s) & rng(&mut s) & (rng(&mut s)|rng(&mut s))).collect(); encode(&w) }).collect();
    let time = |name: &str, f: &mut dyn FnMut(usize)| {
        let n = 400;
        let mut best = f64::MAX; for _ in 0..300 { let t = Instant::now(); for i in 0..n { f(i % 63); } best = best.min(t.elapsed().as_secs_f64()); }
        println!("{name:24} {:8.1} ns", best * 1e9 / n as f64);
    };
    time("view new", &mut |i| { black_box(View::new(&sets[i]).unwrap()); });
    time("outline", &mut |i| { black_box(View::outline(&sets[i]).unwrap()); });
    let views: Vec<_> = sets.iter().map(|b| View::new(b).unwrap()).collect();
    time("and_count", &mut |i| { black_box(views[i].and_count(&views[i+1])); });
    let mut d = Dense::new();
    time("union", &mut |i| d.union(&views[i]));
    let mut c = combine::Combiner::default();
    let mut out = Vec::new();
    time("or materialised", &mut |i| { c.combine(combine::Operation::Or, &views[i], &views[i+1]); out.clear(); c.writer.finish(&mut out); });
    let mut sum = counts::Sum::default();
    time("frequency add", &mut |i| { sum.add_ids(&views[i], 0).unwrap(); });
}
