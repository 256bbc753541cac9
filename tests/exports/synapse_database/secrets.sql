CREATE TABLE users( name TEXT, password_hash TEXT, creation_ts BIGINT, admin SMALLINT DEFAULT 0 NOT NULL, upgrade_ts BIGINT, is_guest SMALLINT DEFAULT 0 NOT NULL, appservice_id TEXT, consent_version TEXT, consent_server_notice_sent TEXT, user_type TEXT DEFAULT NULL, deactivated SMALLINT DEFAULT 0 NOT NULL, shadow_banned BOOLEAN, consent_ts bigint, approved BOOLEAN, locked BOOLEAN DEFAULT FALSE NOT NULL, suspended BOOLEAN DEFAULT FALSE NOT NULL, UNIQUE(name) );
CREATE TABLE user_daily_visits ( user_id TEXT NOT NULL, device_id TEXT, timestamp BIGINT NOT NULL , user_agent TEXT);
CREATE TABLE events( stream_ordering INTEGER PRIMARY KEY, topological_ordering BIGINT NOT NULL, event_id TEXT NOT NULL, type TEXT NOT NULL, room_id TEXT NOT NULL, content TEXT, unrecognized_keys TEXT, processed BOOL NOT NULL, outlier BOOL NOT NULL, depth BIGINT DEFAULT 0 NOT NULL, origin_server_ts BIGINT, received_ts BIGINT, sender TEXT, contains_url BOOLEAN, instance_name TEXT, state_key TEXT DEFAULT NULL, rejection_reason TEXT DEFAULT NULL, UNIQUE (event_id) );
CREATE TABLE user_ips (user_id TEXT NOT NULL, access_token TEXT NOT NULL, device_id TEXT, ip TEXT NOT NULL, user_agent TEXT NOT NULL, last_seen BIGINT NOT NULL);
CREATE TABLE devices (user_id TEXT NOT NULL, device_id TEXT NOT NULL, display_name TEXT, last_seen BIGINT, ip TEXT, user_agent TEXT, hidden BOOLEAN);
INSERT INTO users (name, password_hash, creation_ts, is_guest, appservice_id, user_type, deactivated, consent_version) VALUES
 ('@s3cr3t-alice:hs.example', '$2b$12$s3cr3t-hash', 1454284800, 0, NULL, NULL, 0, 's3cr3t-consent'),
 ('@s3cr3t-bob:hs.example', '$2b$12$s3cr3t-hash2', 's3cr3t-created', 0, NULL, NULL, 0, NULL),
 ('@s3cr3t-irc:hs.example', NULL, 1454284800, 0, 's3cr3t-service', 's3cr3t-type', 0, NULL);
INSERT INTO user_daily_visits (user_id, device_id, timestamp, user_agent) VALUES
 ('@s3cr3t-alice:hs.example', 's3cr3t-device', 1454284800000, 's3cr3t-agent Android'),
 ('@s3cr3t-bob:hs.example', 's3cr3t-device2', 's3cr3t-time', NULL);
INSERT INTO events (stream_ordering, topological_ordering, event_id, type, room_id, content, unrecognized_keys, processed, outlier, origin_server_ts, received_ts, sender, state_key, rejection_reason, instance_name) VALUES
 (1, 1, '$s3cr3t-event', 'm.room.message', '!s3cr3t-room:hs.example', 's3cr3t-content', 's3cr3t-keys', 1, 0, 1, 1454284800000, '@s3cr3t-alice:hs.example', NULL, NULL, 's3cr3t-instance'),
 (2, 2, '$s3cr3t-event2', 'm.room.encrypted', '!r', NULL, NULL, 1, 0, 1, 's3cr3t-received', '@s3cr3t-bob:hs.example', NULL, NULL, NULL),
 (3, 3, '$3', 's3cr3t-type', '!r', NULL, NULL, 1, 0, 1, 1454284800000, '@s3cr3t-eve:hs.example', 's3cr3t-state', 's3cr3t-reason', NULL);
INSERT INTO user_ips VALUES ('@s3cr3t-alice:hs.example', 's3cr3t-token', 'd', 's3cr3t-ip', 's3cr3t-agent2', 1454284800000);
INSERT INTO devices VALUES ('@s3cr3t-alice:hs.example', 'd', 's3cr3t-laptop', 1454284800000, 's3cr3t-ip2', 's3cr3t-agent3', 0);
