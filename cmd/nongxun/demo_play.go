package main

import (
	"context"
	"fmt"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"github.com/nongxun/nongxun/internal/transcript"
)

// loadChats reads all files before anything is started: a wrong name shows at once.
func loadChats(files []string) ([]*transcript.Transcript, error) {
	chats := make([]*transcript.Transcript, len(files))
	for i, file := range files {
		var err error
		if chats[i], err = transcript.Load(file); err != nil {
			return nil, err
		}
	}
	return chats, nil
}

// playAtOnce is how many transcripts are played side by side: much of a conversation is waiting.
const playAtOnce = 4

// playAll plays transcripts, each with people, a service and a clock of its own, and prints the conversations in their order.
func playAll(ctx context.Context, w *world, server *demoServer, log *slog.Logger, chats []*transcript.Transcript) error {
	results := make([]transcript.Result, len(chats))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(playAtOnce)
	for i, t := range chats {
		group.Go(func() error {
			return withDemo(ctx, server, log, demoDay, func(d *demo) error {
				results[i] = transcript.Play(ctx, t, d.emulator.Driver(d.clock.advance))
				return nil
			})
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	wrong := 0
	for _, result := range results {
		if !result.OK() {
			wrong++
		}
		if _, err := fmt.Fprintln(w.stdout, result); err != nil {
			return err
		}
	}
	if wrong > 0 {
		_, _ = fmt.Fprintf(w.stdout, "%d 个对话里,%d 个和预期不一样\n", len(chats), wrong)
		return errSaid
	}
	_, err := fmt.Fprintf(w.stdout, "%d 个对话都和预期一样\n", len(chats))
	return err
}
