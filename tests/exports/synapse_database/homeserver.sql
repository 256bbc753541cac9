CREATE TABLE users( name TEXT, password_hash TEXT, creation_ts BIGINT, admin SMALLINT DEFAULT 0 NOT NULL, upgrade_ts BIGINT, is_guest SMALLINT DEFAULT 0 NOT NULL, appservice_id TEXT, consent_version TEXT, consent_server_notice_sent TEXT, user_type TEXT DEFAULT NULL, deactivated SMALLINT DEFAULT 0 NOT NULL, shadow_banned BOOLEAN, consent_ts bigint, approved BOOLEAN, locked BOOLEAN DEFAULT FALSE NOT NULL, suspended BOOLEAN DEFAULT FALSE NOT NULL, UNIQUE(name) );
CREATE TABLE user_daily_visits ( user_id TEXT NOT NULL, device_id TEXT, timestamp BIGINT NOT NULL , user_agent TEXT);
CREATE TABLE events( stream_ordering INTEGER PRIMARY KEY, topological_ordering BIGINT NOT NULL, event_id TEXT NOT NULL, type TEXT NOT NULL, room_id TEXT NOT NULL, content TEXT, unrecognized_keys TEXT, processed BOOL NOT NULL, outlier BOOL NOT NULL, depth BIGINT DEFAULT 0 NOT NULL, origin_server_ts BIGINT, received_ts BIGINT, sender TEXT, contains_url BOOLEAN, instance_name TEXT, state_key TEXT DEFAULT NULL, rejection_reason TEXT DEFAULT NULL, UNIQUE (event_id) );
-- 2016-02-23 is 1456185600; creation_ts is in seconds, all else in milliseconds.
INSERT INTO users (name, password_hash, creation_ts, is_guest, appservice_id, user_type, deactivated) VALUES
 ('@alice:hs.example:8448', '$2b$12$secret', 1456185600, 0, NULL, NULL, 0),
 ('@bob:hs.example:8448', '$2b$12$secret', 1456271999, 0, NULL, NULL, 1),
 ('@carol:hs.example:8448', '$2b$12$secret', 1456358400, 0, NULL, NULL, 0),
 ('@dora:hs.example:8448', '$2b$12$secret', 1456358401, 0, NULL, 'translator', 0),
 ('@helper:hs.example:8448', NULL, 1456185600, 0, NULL, 'support', 0),
 ('@robot:hs.example:8448', NULL, 1456185600, 0, NULL, 'bot', 0),
 ('@17:hs.example:8448', NULL, 1456185600, 1, NULL, NULL, 0),
 ('@irc_x:hs.example:8448', NULL, 1456185600, 0, 'irc', NULL, 0);
INSERT INTO user_daily_visits (user_id, device_id, timestamp, user_agent) VALUES
 ('@alice:hs.example:8448', 'A', 1456185600000, 'Element/1.6.0 (Pixel; Android 13)'),
 ('@alice:hs.example:8448', 'B', 1456185600000, 'Mozilla/5.0 (X11) Gecko/20100101'),
 ('@bob:hs.example:8448', 'C', 1456185600000, NULL),
 ('@robot:hs.example:8448', 'D', 1456185600000, 'bot'),
 ('@carol:hs.example:8448', 'E', 1456272000000, 'Mozilla/5.0 (X11) Gecko/20100101');
INSERT INTO events (stream_ordering, topological_ordering, event_id, type, room_id, processed, outlier, origin_server_ts, received_ts, sender, state_key, rejection_reason) VALUES
 (1, 1, '$1', 'm.room.message', '!r', 1, 0, 1, 1456185600000, '@alice:hs.example:8448', NULL, NULL),
 (2, 2, '$2', 'm.room.encrypted', '!r', 1, 0, 1, 1456271999999, '@bob:hs.example:8448', NULL, NULL),
 (3, 3, '$3', 'm.room.message', '!r', 1, 0, 1, 1456185600001, '@x:other.example', NULL, NULL),
 (4, 4, '$4', 'm.room.message', '!r', 1, 0, 1, 1456272000000, '@alice:hs.example:8448', NULL, NULL),
 (5, 5, '$5', 'm.room.member', '!r', 1, 0, 1, 1456272000000, '@alice:hs.example:8448', '@alice:hs.example:8448', NULL),
 (6, 6, '$6', 'm.room.message', '!r', 1, 1, 1, 1456272000000, '@alice:hs.example:8448', NULL, NULL),
 (7, 7, '$7', 'm.room.message', '!r', 1, 0, 1, 1456272000000, '@alice:hs.example:8448', NULL, 'not allowed'),
 (8, 8, '$8', 'm.reaction', '!r', 1, 0, 1, 1456272000000, '@alice:hs.example:8448', NULL, NULL),
 (-1, 0, '$9', 'm.room.message', '!r', 1, 0, 1, 1456272000000, '@x:other.example', NULL, NULL);
