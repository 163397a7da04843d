-- Orders of people alone: build figures on the view, never on the table.
--
-- The application writes the column when it takes the order, from what agent.verify found:
--     synthetic = found is not None and found.verified
-- and from nothing else: a header or a cookie is a claim that anybody can make.
-- Standard SQL; run as it is in SQLite and PostgreSQL. Old rows count as people's.

ALTER TABLE orders ADD COLUMN synthetic BOOLEAN NOT NULL DEFAULT FALSE;

CREATE VIEW orders_of_people AS
    SELECT * FROM orders WHERE NOT synthetic;

CREATE VIEW synthetic_orders AS
    SELECT * FROM orders WHERE synthetic;
