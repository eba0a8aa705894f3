package main

import (
	"context"
	"fmt"
	"log/slog"

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

// playAll plays transcripts one after the other, each with people, a service and a clock of its own, and prints the conversations.
func playAll(ctx context.Context, w *world, server *demoServer, log *slog.Logger, chats []*transcript.Transcript) error {
	wrong := 0
	for _, t := range chats {
		err := withDemo(ctx, server, log, demoDay, func(d *demo) error {
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
		_, _ = fmt.Fprintf(w.stdout, "%d 个对话里,%d 个和预期不一样\n", len(chats), wrong)
		return errSaid
	}
	_, err := fmt.Fprintf(w.stdout, "%d 个对话都和预期一样\n", len(chats))
	return err
}
