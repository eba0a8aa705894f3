// Command nongxun is the one binary: it serves a bureau's WeChat account and SMS number, and holds the verbs of who runs it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	_ "time/tzdata" // Asia/Shanghai on a bare machine

	"github.com/alecthomas/kong"
)

// verbs is the command line. Settings are not here: they come from the environment or a file (settings.go).
type verbs struct {
	Demo       demoVerb       `cmd:"" help:"Run emulators, the service and a page with two phones. Needs no settings."`
	Serve      serveVerb      `cmd:"" help:"Run the service: callbacks, workers and the calendar."`
	Migrate    migrateVerb    `cmd:"" help:"Bring the database to this version."`
	Understand understandVerb `cmd:"" help:"Read messages: JSON lines in, JSON lines out."`
	Import     importVerb     `cmd:"" help:"Import products, regions, prices or fairs from a .csv or .xlsx file."`
	Export     exportVerb     `cmd:"" help:"Export listings, signups, contacts, messages or deliveries."`
	Outbox     outboxVerb     `cmd:"" help:"Look after what goes out: status, retry --failed, stop, release."`
	Menu       menuVerb       `cmd:"" help:"Give the WeChat account its menu."`
	QR         qrVerb         `cmd:"" name:"qr" help:"Make a QR code for a poster."`
	Doctor     doctorVerb     `cmd:"" help:"Check settings, database, clock, disk, platform and provider."`
}

// world is what a verb has of the world around it.
type world struct {
	env            func(string) (string, bool)
	stdin          io.Reader
	stdout, stderr io.Writer
	log            *slog.Logger
}

// errSaid ends the program with status 1 after the verb itself has said what is wrong.
var errSaid = errors.New("said")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills
	w := &world{env: os.LookupEnv, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	w.log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	os.Exit(exitCode(run(ctx, w, os.Args[1:]), os.Stderr))
}

func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	if !errors.Is(err, errSaid) {
		_, _ = fmt.Fprintln(stderr, "nongxun:", err)
	}
	return 1
}

func run(ctx context.Context, w *world, args []string) error {
	var v verbs
	exited := false
	parser, err := kong.New(&v,
		kong.Name("nongxun"),
		kong.Description("nongxun 农讯: farmers chat, brokers text, bureaus see listings, prices and sign-ups."),
		kong.Writers(w.stdout, w.stderr),
		kong.Exit(func(int) { exited = true }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(w))
	if err != nil {
		return err
	}
	k, err := parser.Parse(args)
	if exited { // --help
		return nil
	}
	if err != nil {
		return err
	}
	return k.Run()
}
