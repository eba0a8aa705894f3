package lexicon_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
)

// BenchmarkStart is what every replica pays once: the tables read and compiled into a reader. lexicon-ms and reader-ms are the times of
// the two steps, MB is what they keep in memory together.
func BenchmarkStart(b *testing.B) {
	var lexTime, readerTime time.Duration
	var kept float64
	for b.Loop() {
		b.StopTimer()
		before := heap()
		b.StartTimer()
		start := time.Now()
		lex, err := lexicon.Default()
		if err != nil {
			b.Fatal(err)
		}
		lexTime += time.Since(start)
		start = time.Now()
		reader := reading.New(lex)
		readerTime += time.Since(start)
		b.StopTimer()
		kept += float64(heap()-before) / 1e6
		runtime.KeepAlive(reader)
		runtime.KeepAlive(lex)
		b.StartTimer()
	}
	n := float64(b.N)
	b.ReportMetric(lexTime.Seconds()*1e3/n, "lexicon-ms")
	b.ReportMetric(readerTime.Seconds()*1e3/n, "reader-ms")
	b.ReportMetric(kept/n, "MB")
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
