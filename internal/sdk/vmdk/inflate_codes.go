package vmdk

// preOrder is in which order a block gives the lengths of the code of its code lengths.
var preOrder = [preSyms]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// readCodes reads the codes of a dynamic block.
func (d *inflater) readCodes() error {
	d.refill()
	lits, dists, pres := d.take(5), d.take(5), d.take(4)
	if pres < 0 {
		return d.short()
	}
	lits, dists, pres = lits+257, dists+1, pres+4
	if lits > 286 || dists > 30 {
		return d.invalid("more code lengths than symbols")
	}
	var lens [preSyms]uint8
	for _, s := range preOrder[:pres] {
		d.refill()
		l := d.take(3)
		if l < 0 {
			return d.short()
		}
		lens[s] = uint8(l)
	}
	if !buildTable(d.pre[:], preBits, lens[:], d.codes.pre[:]) {
		return d.invalid("a wrong code of the code lengths")
	}
	if err := d.readLengths(d.lens[:lits+dists]); err != nil {
		return err
	}
	switch {
	case d.lens[endBlock] == 0:
		return d.invalid("a code without an end of block")
	case !buildTable(d.ownLit[:], litBits, d.lens[:lits], d.codes.lit[:]):
		return d.invalid("a wrong code of literals and lengths")
	case !buildTable(d.ownDist[:], distBits, d.lens[lits:lits+dists], d.codes.dist[:]):
		return d.invalid("a wrong code of distances")
	}
	d.lit, d.dist = &d.ownLit, &d.ownDist
	return nil
}

// readLengths reads the code lengths of literals and distances; a run may go from the ones into the others.
func (d *inflater) readLengths(lens []uint8) error {
	for i := 0; i < len(lens); {
		d.refill()
		symbol, err := d.value(d.pre[d.hold&(1<<preBits-1)])
		if err != nil {
			return err
		}
		run, more, value := 1, 0, uint8(0)
		switch symbol {
		case 16:
			if i == 0 {
				return d.invalid("a repeated code length without one before")
			}
			run, more, value = 3, d.take(2), lens[i-1]
		case 17:
			run, more = 3, d.take(3)
		case 18:
			run, more = 11, d.take(7)
		default:
			value = uint8(symbol)
		}
		switch {
		case more < 0:
			return d.short()
		case run+more > len(lens)-i:
			return d.invalid("more code lengths than announced")
		}
		for range run + more {
			lens[i] = value
			i++
		}
	}
	return nil
}
