package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestTranscripts plays every chat of internal/talk/testdata through the real service over the real protocols, as
// `nongxun demo --play` does.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../internal/talk/testdata/*.chat")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d transcripts (%v)", len(files), err)
	}
	var out, errs bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	w := &world{env: os.LookupEnv, stdout: &out, stderr: &errs}
	if err = run(ctx, w, append([]string{"demo", "--play"}, files...)); err != nil {
		t.Errorf("%v\n%s%s", err, out.String(), errs.String())
	}
}

// TestAWrongExpectationFails makes sure that playing can fail.
func TestAWrongExpectationFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "wrong.chat")
	if err := os.WriteFile(file, []byte("# 标题: 不对\n@ 农民 微信\n农民> 你好\n小农< 再见\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	w := &world{env: os.LookupEnv, stdout: &out, stderr: &errs}
	if code := exitCode(run(t.Context(), w, []string{"demo", "--play", file}), &out); code != 1 {
		t.Errorf("exit code %d, want 1\n%s", code, out.String())
	}
	if !bytes.Contains(out.Bytes(), []byte("再见")) {
		t.Errorf("the diff does not show what was expected:\n%s", out.String())
	}
}
