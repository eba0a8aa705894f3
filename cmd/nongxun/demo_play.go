package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/nongxun/nongxun/internal/transcript"
)

// playAll plays transcripts one after the other, each with people, a service and a clock of its own, and prints the conversations.
func playAll(ctx context.Context, w *world, server *demoServer, log *slog.Logger, files []string) error {
	wrong := 0
	for _, file := range files {
		t, err := transcript.Load(file)
		if err != nil {
			return err
		}
		err = withDemo(ctx, server, log, demoDay, func(d *demo) error {
			result := transcript.Play(ctx, t, d.emulator.Driver(d.clock.advance))
			if !result.OK() {
				wrong++
			}
			_, err := fmt.Fprintln(w.stdout, result)
			return err
		})
		if err != nil {
			return err
		}
	}
	if wrong > 0 {
		_, _ = fmt.Fprintf(w.stdout, "%d 个对话里,%d 个和预期不一样\n", len(files), wrong)
		return errSaid
	}
	_, err := fmt.Fprintf(w.stdout, "%d 个对话都和预期一样\n", len(files))
	return err
}
