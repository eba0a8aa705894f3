// Package tshark lets tests ask a dissector that no one here wrote what it reads in the frames that the carrier lines write.
package tshark

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const port = 7890

// capture is a pcap file with each frame in a TCP segment of its own to port.
func capture(frames [][]byte) []byte {
	le, be := binary.LittleEndian, binary.BigEndian
	file := le.AppendUint32(nil, 0xa1b2c3d4)
	file = le.AppendUint16(le.AppendUint16(file, 2), 4)
	file = append(file, make([]byte, 8)...)
	file = le.AppendUint32(le.AppendUint32(file, 1<<16), 101) // raw IP
	sequence := uint32(1)
	for i, f := range frames {
		ip := []byte{0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1}
		be.PutUint16(ip[2:], uint16(40+len(f)))
		tcp := be.AppendUint16(be.AppendUint16(nil, 40000), port)
		tcp = be.AppendUint32(be.AppendUint32(tcp, sequence), 1)
		tcp = append(tcp, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0)
		sequence += uint32(len(f))
		packet := append(append(ip, tcp...), f...)
		file = le.AppendUint32(le.AppendUint32(file, uint32(i)), 0)
		file = le.AppendUint32(le.AppendUint32(file, uint32(len(packet))), uint32(len(packet)))
		file = append(file, packet...)
	}
	return file
}

// Dissect is what tshark says of each frame of a protocol ("cmpp", "smpp"), by the names of its fields. A frame that it finds malformed
// fails the test; where tshark is missing, the test is skipped and says so.
func Dissect(t *testing.T, protocol string, frames [][]byte) []map[string]string {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("NOT TESTED against tshark's dissector: it is missing; make setup-tests installs it (apt-get install --no-install-recommends tshark)")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "frames.pcap")
	if err = os.WriteFile(file, capture(frames), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "-n", "-r", file, "-d", fmt.Sprintf("tcp.port==%d,%s", port, protocol), "-T", "json", "--no-duplicate-keys")
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	var packets []struct {
		Source struct{ Layers map[string]any } `json:"_source"`
	}
	if err = json.Unmarshal(out, &packets); err != nil {
		t.Fatal(err)
	}
	if len(packets) != len(frames) {
		t.Fatalf("tshark sees %d packets of %d", len(packets), len(frames))
	}
	said := make([]map[string]string, len(packets))
	for i, p := range packets {
		said[i] = map[string]string{}
		collect(p.Source.Layers, said[i])
		for name := range said[i] {
			if strings.HasPrefix(name, "_ws") { // what tshark remarks itself: malformed, an expert's doubt
				t.Errorf("frame %d (%x): tshark remarks %s", i, frames[i], name)
			}
		}
	}
	return said
}

func collect(v any, into map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			s, _ := value.(string)
			into[name] = s
			collect(value, into)
		}
	case []any:
		for _, value := range v {
			collect(value, into)
		}
	}
}
