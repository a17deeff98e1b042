//! The data of a spec in writing, and how they are divided.

use super::part::Part;
use crate::spec::{
    Columns, Data, DicomFolder, FindingColumns, Join, Layout, Parts, Privacy, Rows, Split, Taken, Window,
};

/// The source of the data, with all that decides what a case holds.
pub(super) fn data(data: &Data) -> Part {
    match data {
        Data::Phantom { studies, seed, label_noise, missed, findings, classes, unlabelled, views } => {
            let mut part = Part::new("phantom");
            part.put("studies", studies)
                .put("seed", seed)
                .put("label_noise", label_noise)
                .put("missed", missed);
            part.put("views", views.name());
            // without findings the part is that of versions that knew none
            if !findings.is_empty() {
                part.all("finding", findings.iter().map(|finding| finding.name()));
                part.put("unlabelled", unlabelled);
            }
            part.all("class", classes.iter().map(|lesion| lesion.name()));
            part
        }
        Data::IuXray { folder, sections, views, bits } => {
            let mut part = Part::new("iu_xray");
            part.path("folder", folder).all("section", sections.iter().map(|section| section.name()));
            part.put("views", views.name()).maybe("bits", *bits);
            part
        }
        Data::Medmnist { file, abnormal, findings, classes } => {
            let mut part = Part::new("medmnist");
            part.path("file", file).all("finding", findings);
            part.all("abnormal", abnormal.iter().flatten()).all("class", classes);
            part
        }
        Data::Manifest {
            file,
            columns,
            findings: asked,
            positive,
            negative,
            leave_out,
            classes,
            separator,
            missing,
            literal,
            sections,
            views,
            bits,
            layout,
            window,
            burned_in,
            privacy,
        } => {
            let mut part = Part::new("manifest");
            // what a report may show of a case changes no outcome
            let Privacy { private_ids, shows_cases: _ } = privacy;
            part.maybe("ids", private_ids.then_some("private"));
            part.maybe("burned_in", burned_in.then_some("allowed"));
            put_window(&mut part, *window);
            put_layout(&mut part, layout);
            part.path("file", file).all("positive", positive).all("negative", negative);
            part.all("leave_out", leave_out).maybe("separator", separator.as_ref());
            part.all("missing", missing).all("literal", literal).maybe("bits", *bits);
            part.all("section", sections.iter().map(|section| section.name())).put("views", views.name());
            put_columns(&mut part, columns);
            if let Some(asked) = asked {
                put_findings(&mut part, asked);
            }
            for (name, value) in classes {
                part.put("class", name).put("is", value);
            }
            part
        }
    }
}

/// How DICOM values become gray.
fn put_window(part: &mut Part, window: Window) {
    match window {
        Window::File => part,
        Window::Full => part.put("window", "full"),
        Window::Given { centre, width } => part.put("window", format!("{centre} {width}")),
    };
}

/// Which column holds what.
fn put_columns(part: &mut Part, columns: &Columns) {
    let Columns {
        id,
        patient,
        label,
        frontal,
        lateral,
        indication,
        findings,
        impression,
        view,
        mask,
        groups,
    } = columns;
    part.put("id", id).put("patient", patient).put("label", label);
    part.maybe("frontal", frontal.as_ref()).maybe("lateral", lateral.as_ref());
    part.maybe("indication", indication.as_ref()).maybe("findings", findings.as_ref());
    part.maybe("impression", impression.as_ref()).maybe("view", view.as_ref());
    part.maybe("mask", mask.as_ref()).all("group", groups);
}

/// Where the findings are, and what unsure labels are taken for.
fn put_findings(part: &mut Part, findings: &FindingColumns) {
    let FindingColumns { named, is_list, unsure, uncertain, empty, none, apart } = findings;
    for (name, column) in named {
        part.put("finding", name).put("is", column);
    }
    part.put("list", is_list).all("unsure", unsure).maybe("none", none.as_ref());
    part.maybe("uncertain", uncertain.map(Taken::name));
    part.maybe("empty", empty.map(Taken::name));
    // without it the part is that of versions that did not know it
    if !apart.is_empty() {
        part.all("apart", apart);
    }
}

/// How rows become cases.
fn put_layout(part: &mut Part, layout: &Layout) {
    let Layout { also, dicom, joins, parts, only, rows } = layout;
    for file in also {
        part.path("also", file);
    }
    if let Some(DicomFolder { folder, by }) = dicom {
        part.path("folder", folder).put("by", by.name());
    }
    for Join { file, on } in joins {
        part.path("join", file).all("on", on);
    }
    for (column, pattern) in parts {
        part.put("parts of", column).put("pattern", pattern);
    }
    for (column, values) in only {
        part.put("where", column).all("value", values);
    }
    match rows {
        Rows::One => part,
        Rows::Any => part.put("rows", "any"),
        Rows::Majority { reader } => part.put("rows", "majority").put("reader", reader),
    };
}

/// How the cases are divided.
pub(super) fn split(split: &Split) -> Part {
    let mut part = Part::new("split");
    let Split { parts, cases, seed } = split;
    match parts {
        Parts::Drawn { test, validation } => part.put("test", test).put("validation", validation),
        Parts::Named { column, test, validation } => {
            part.put("column", column).all("test value", test).all("validation value", validation)
        }
    };
    part.maybe("cases", cases.as_ref()).put("seed", seed);
    part
}
