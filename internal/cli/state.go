package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/manager"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
)

const (
	stateListCommand   = "state list"
	stateRenameCommand = "state rename"
	stateRemoveCommand = "state remove"

	stateMigrateCommand = "state migrate"
	stateImportCommand  = "state import"
	stateExportCommand  = "state export"
)

// stateArguments holds the arguments of the state commands.
type stateArguments struct {
	name, newName string
	replace       bool
	grant         string
}

func (a *stateArguments) add(app *kingpin.Application) {
	command := app.Command("state", "Manage the saved state of each operation in --storage.path or --storage.url.")
	command.Command("list", "List the operations that have a saved state.")
	rename := command.Command("rename", "Rename the saved state of an operation, before the operation is renamed. Stop the exporter first.")
	rename.Arg("old", "Current name of the operation.").Required().StringVar(&a.name)
	rename.Arg("new", "New name of the operation.").Required().StringVar(&a.newName)
	remove := command.Command("remove", "Remove the saved state of an operation permanently. Stop the exporter first.")
	remove.Arg("name", "Name of the operation.").Required().StringVar(&a.name)
	migrate := command.Command("migrate", "Create or update the schema in --storage.url, as the owner of the schema.")
	migrate.Flag("grant", "Give this role the rights that an exporter needs.").PlaceHolder("ROLE").StringVar(&a.grant)
	imports := command.Command("import", "Copy all states of --storage.path into --storage.url. Stop the exporter first.")
	imports.Flag("replace", "Replace states that the database has already.").BoolVar(&a.replace)
	exports := command.Command("export", "Copy all states of --storage.url into --storage.path. Stop the exporter first.")
	exports.Flag("replace", "Replace states that the folder has already.").BoolVar(&a.replace)
}

// runState runs one of the state commands.
func (c *command) runState(ctx context.Context) error {
	if c.database.URL != "" {
		return c.runDatabaseState(ctx)
	}
	if c.storagePath == "" {
		return errors.New("--storage.path is empty: nothing is saved")
	}
	defer c.tasks.begin("the storage folder")()
	if c.command == stateListCommand {
		return listStates(c.storagePath, c.stdout)
	}
	// store.Open would create a missing folder.
	exists, err := store.Probe(c.storagePath)
	if err != nil {
		return err
	}
	if !exists {
		return fmt.Errorf("storage folder %q does not exist", c.storagePath)
	}
	folder, err := store.Open(c.storagePath)
	if err != nil {
		return err
	}
	if c.command == stateRenameCommand {
		if err = config.CheckName(c.state.newName); err == nil {
			err = folder.Rename(c.state.name, c.state.newName)
		}
		if err == nil {
			c.printRenamed()
		}
	} else if err = folder.Remove(c.state.name); err == nil {
		c.printRemoved()
	}
	return cmp.Or(err, folder.Close())
}

func (c *command) printRenamed() {
	fmt.Fprintf(c.stdout, "operation %q has the state of %q now: change its name in the configuration before the next start\n", c.state.newName, c.state.name)
}

func (c *command) printRemoved() {
	fmt.Fprintf(c.stdout, "removed the state of operation %q\n", c.state.name)
}

func listStates(dir string, stdout io.Writer) error {
	states, err := store.List(dir, func(state []byte) error {
		_, err := ledger.Unmarshal(state, ledger.Options{}, time.Now())
		return err
	})
	if err != nil {
		return err
	}
	return printStates(states, fmt.Sprintf("%q", dir), stdout)
}

// printStates prints a table of states. where is the folder or the database.
func printStates(states []store.State, where string, stdout io.Writer) error {
	if len(states) == 0 {
		fmt.Fprintf(stdout, "nothing is saved in %s\n", where)
		return nil
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "OPERATION\tBYTES\tSAVED\tCONDITION")
	for _, state := range states {
		saved, condition := "-", "good"
		if state.Err != nil {
			condition = string(manager.ClassifyLoadError(state.Err))
		}
		if !state.Saved.IsZero() {
			saved = state.Saved.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", state.Operation, state.Size, saved, condition)
	}
	return table.Flush()
}
