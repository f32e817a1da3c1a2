using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Sidecar.Audit;

/// <summary>
/// Triggers that refuse to change or delete audit rows, so that a slip or a stolen password of the service does not do it in passing. Whoever owns
/// the database can drop them; that is what the chain and its checkpoints are for.
/// </summary>
internal static class AuditProtection
{
    // Triggers are the one thing that the two databases spell differently.
    public static string SqlFor(DbConnection connection) => connection is SqliteConnection ? Sqlite : PostgreSql;

    // INSERT OR REPLACE would delete a row without asking the trigger for deletes, so the one for inserts refuses a number that is taken.
    private const string Sqlite =
        """
        CREATE TRIGGER audit_events_update BEFORE UPDATE ON audit_events
            BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
        CREATE TRIGGER audit_events_delete BEFORE DELETE ON audit_events
            BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;
        CREATE TRIGGER audit_events_insert BEFORE INSERT ON audit_events
            WHEN NEW.hash IS NULL OR NEW.sequence <> (SELECT sequence FROM audit_head) OR EXISTS (SELECT 1 FROM audit_events WHERE sequence = NEW.sequence)
            BEGIN SELECT RAISE(ABORT, 'audit rows are only appended'); END;
        CREATE TRIGGER audit_head_delete BEFORE DELETE ON audit_head
            BEGIN SELECT RAISE(ABORT, 'the head of the audit is never deleted'); END;
        CREATE TRIGGER audit_head_update BEFORE UPDATE ON audit_head WHEN NEW.sequence < OLD.sequence OR NEW.id <> OLD.id
            BEGIN SELECT RAISE(ABORT, 'the head of the audit never goes back'); END;
        """;

    private const string PostgreSql =
        """
        CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'audit rows are never changed or deleted'; END $$;
        CREATE TRIGGER audit_events_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
            FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
        CREATE TRIGGER audit_head_kept BEFORE DELETE OR TRUNCATE ON audit_head
            FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
        CREATE TRIGGER audit_head_forward BEFORE UPDATE ON audit_head
            FOR EACH ROW WHEN (NEW.sequence < OLD.sequence OR NEW.id <> OLD.id) EXECUTE FUNCTION audit_refuse();
        """;
}
