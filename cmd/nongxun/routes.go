package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/sms/aliyun"
)

// routes mounts the doors of the service.
func (v *service) routes(s settings) (http.Handler, error) {
	v.metrics = prometheus.NewRegistry()
	v.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	requests := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "nongxun_http_seconds", Help: "Time to answer, by route and status.", Buckets: []float64{.005, .02, .05, .2, .7, 2, 4.5},
	}, []string{"route", "status"})
	v.metrics.MustRegister(requests)

	mux := http.NewServeMux()
	if s.WeChat.AppID != "" {
		h, err := bot.NewHandler(bot.Config{
			AppID: s.WeChat.AppID, Token: s.WeChat.Token, AESKey: s.WeChat.AESKey, AESKeyPrevious: s.WeChat.AESKeyPrevious,
			Mode: s.WeChat.Mode, Freshness: s.WeChat.Freshness, Now: v.now, Log: v.log,
		}, v.inbox.WeChat)
		if err != nil {
			return nil, err
		}
		mux.Handle("/wechat", h)
	}
	mux.Handle("/sms/aliyun/", aliyun.NewHandler(s.Aliyun.CallbackSecrets, v.inbox.SMS, v.outbox.SMSReceipts, v.log, v.now))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", v.ready)
	metrics := promhttp.HandlerFor(v.metrics, promhttp.HandlerOpts{})
	if s.MetricsListen == "" {
		mux.Handle("GET /metrics", loopbackOnly(metrics))
	}
	return measured(mux, requests), nil
}

// ready says whether the database answers and has this version's tables.
func (v *service) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := pg.Pending(ctx, v.pool, schema()...); err != nil {
		v.log.WarnContext(ctx, "not ready", "error", err)
		http.Error(w, "the database does not answer or is not migrated", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// loopbackOnly serves who is on this machine itself, and not who comes through a proxy on it.
func loopbackOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		forwarded := r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" || r.Header.Get("X-Real-Ip") != ""
		if err != nil || !loopback(host) || forwarded {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// measured notes the time of each request under its route, never under its path: paths hold secrets.
func measured(mux *http.ServeMux, seconds *prometheus.HistogramVec) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		sw := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		mux.ServeHTTP(sw, r)
		route := r.Pattern
		if route == "" {
			route = "none"
		}
		seconds.WithLabelValues(route, http.StatusText(sw.status)).Observe(time.Since(began).Seconds())
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the real writer.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
