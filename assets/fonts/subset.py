"""Makes the two static weights of Inter that essor draws and measures with (see README.md)."""
import sys
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer
from fontTools import subset

SOURCE, OUT = sys.argv[1], sys.argv[2]
TTF = [(0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x3FF), (0x400, 0x45F), (0x490, 0x491), (0x2000, 0x206F)]
SIGNS = [0x218, 0x219, 0x21A, 0x21B, 0x20AC, 0x2116, 0x2122, 0x2190, 0x2191, 0x2192, 0x2193, 0x2212, 0x2248, 0x2260,
         0x2264, 0x2265, 0x25A0, 0x25A1, 0x25B2, 0x25BC, 0x25CB, 0x25CF, 0x2022, 0x2713]
WOFF2 = [(0x20, 0x7E), (0xA0, 0x17F), (0x391, 0x3C9), (0x410, 0x44F), (0x2010, 0x2030)]
DIGITS = {chr(c): c for c in range(0x30, 0x3A)}

def tabular(font):
    """Points the digits at their tabular forms, so that columns of figures line up without a feature."""
    gsub = font["GSUB"].table
    lookups = {i for f in gsub.FeatureList.FeatureRecord if f.FeatureTag == "tnum" for i in f.Feature.LookupListIndex}
    swap = {}
    for i in lookups:
        for st in gsub.LookupList.Lookup[i].SubTable:
            st = getattr(st, "ExtSubTable", st)
            swap.update(getattr(st, "mapping", {}))
    for table in font["cmap"].tables:
        for code in DIGITS.values():
            if code in table.cmap and table.cmap[code] in swap:
                table.cmap[code] = swap[table.cmap[code]]

def thin_space(font):
    """U+202F, the narrow no-break space: the width of a fifth of an em, whatever the source says."""
    hmtx, glyf = font["hmtx"], font["glyf"]
    name = "nnbspace"
    from fontTools.ttLib.tables._g_l_y_f import Glyph
    if name not in font.getGlyphOrder():
        font.setGlyphOrder(font.getGlyphOrder() + [name])
        glyf.glyphs[name] = Glyph()
        glyf.glyphOrder = font.getGlyphOrder()
    hmtx.metrics[name] = (font["head"].unitsPerEm // 5, 0)
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[0x202F] = name

def plain_notdef(font):
    """A plain empty box for a character the font lacks, in place of Inter's striped block."""
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    em = font["head"].unitsPerEm
    left, right, top, line = em // 12, em // 2, em * 7 // 10, em // 24
    pen = TTGlyphPen(None)
    for inset in (0, line):
        box = [(left + inset, inset), (left + inset, top - inset), (right - inset, top - inset), (right - inset, inset)]
        box = box if inset == 0 else box[::-1]
        pen.moveTo(box[0])
        for corner in box[1:]:
            pen.lineTo(corner)
        pen.closePath()
    font["glyf"][".notdef"] = pen.glyph()
    font["hmtx"].metrics[".notdef"] = (left + right, left)

def codes(ranges):
    return [c for lo, hi in ranges for c in range(lo, hi + 1)] + SIGNS

def cut(path, ranges, flavor, out):
    o = subset.Options()
    o.layout_features, o.hinting, o.name_IDs, o.notdef_outline = ["kern", "mark", "mkmk", "ccmp"], False, [0, 1, 2, 3, 4, 5, 6, 13, 14], True
    o.flavor, o.desubroutinize, o.drop_tables = flavor, True, o.drop_tables + ["STAT", "DSIG", "meta"]
    font = subset.load_font(path, o)
    s = subset.Subsetter(o)
    s.populate(unicodes=codes(ranges))
    s.subset(font)
    subset.save_font(font, out, o)

for weight, style, file in ((400, "Regular", "regular"), (600, "SemiBold", "semibold")):
    font = TTFont(SOURCE)
    axes = {a.axisTag: a.defaultValue for a in font["fvar"].axes}
    print(axes, font["name"].getDebugName(5))
    axes["wght"] = weight
    font = instancer.instantiateVariableFont(font, axes)
    tabular(font)
    thin_space(font)
    plain_notdef(font)
    font["OS/2"].usWeightClass = weight
    names = font["name"]
    names.names = [n for n in names.names if n.nameID in (0, 5, 13, 14)]
    for nid, text in ((1, "Essor Inter"), (2, style), (3, f"Essor Inter {style}"), (4, f"Essor Inter {style}"), (6, f"EssorInter-{style}")):
        names.setName(text, nid, 3, 1, 0x409)
    full = f"{OUT}/full-{file}.ttf"
    font.save(full)
    cut(full, TTF, None, f"{OUT}/inter-{file}.ttf")
    cut(full, WOFF2, "woff2", f"{OUT}/inter-{file}.woff2")
