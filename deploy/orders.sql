-- Orders of people alone: build figures on the view, never on the table.
--
-- The application writes the column when it takes the order, from what agent.verify found:
--     synthetic = found is not None and found.verified
-- and from nothing else: a header, a cookie or a user agent is a claim that anybody can make.
-- Orders come by forms and calls, which carry the signature whatever identity.hold says. For a
-- table of all requests, such as a web server's log, sort by the user agent instead: it is on
-- everything that the agent sends (user_agent LIKE '%FootfallSynthetics/%').
-- Standard SQL; run as it is in SQLite and PostgreSQL. Old rows count as people's.

ALTER TABLE orders ADD COLUMN synthetic BOOLEAN NOT NULL DEFAULT FALSE;

CREATE VIEW orders_of_people AS
    SELECT * FROM orders WHERE NOT synthetic;

CREATE VIEW synthetic_orders AS
    SELECT * FROM orders WHERE synthetic;
