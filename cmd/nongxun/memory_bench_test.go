package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nongxun/nongxun/internal/pg"
)

// BenchmarkMemory runs the real service on a database of a million contacts, sends it 20,000 messages of 20,000 of them, and reports its
// resident memory at rest and at its highest. Run it with -benchtime 1x.
func BenchmarkMemory(b *testing.B) {
	ctx := b.Context()
	server := durableServer(b)
	pool, err := pg.Open(ctx, server.URL("bench"))
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	if err = pg.Migrate(ctx, pool, schema()...); err != nil {
		b.Fatal(err)
	}
	_, err = pool.Exec(ctx, `WITH made AS (INSERT INTO contact (created_at, county) SELECT now(), '430225' FROM generate_series(1, 1000000) RETURNING id)
INSERT INTO address (kind, value, contact_id, created_at) SELECT 'openid', 'oPerson' || id, id, now() FROM made`)
	if err != nil {
		b.Fatal(err)
	}
	p := startProcess(b, "NONGXUN_DATABASE_URL="+server.URL("bench"), "NONGXUN_WECHAT_APP_ID="+testAppID, "NONGXUN_WECHAT_APP_SECRET=secret",
		"NONGXUN_WECHAT_TOKEN="+testToken, "NONGXUN_WECHAT_AES_KEY="+testAESKey, "NONGXUN_WECHAT_API_URL=http://127.0.0.1:1")
	atRest := p.memory("VmRSS")
	for i := range b.N {
		calls := make([]callback, 20_000)
		now := time.Now()
		for j := range calls {
			text := fmt.Sprintf("黄桃%d斤,3块5一斤,炎陵县中村乡的", 1000+j)
			calls[j] = secureCallback(b, textXML(fmt.Sprintf("oPerson%d", 1+j*50), int64(i*100_000+j+1), now, text), now)
		}
		load(b, p.base, calls)
	}
	b.ReportMetric(atRest, "rest-MB")
	b.ReportMetric(p.memory("VmRSS"), "after-MB")
	b.ReportMetric(p.memory("VmHWM"), "peak-MB")
	b.ReportMetric(0, "ns/op")
}

// memory reads a line of the process's status, in MB.
func (p *process) memory(what string) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, what+":"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				p.t.Fatal(err)
			}
			return float64(kb) / 1024
		}
	}
	p.t.Fatalf("no %s in the status of the process", what)
	return 0
}
