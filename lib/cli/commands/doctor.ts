import type { Command } from 'commander'
import type { Finding } from '../../daemon/doctor/check.js'
import { examine } from '../../daemon/doctor/doctor.js'
import { Params } from '../../daemon/params.js'
import { openCloud } from '../../index.js'
import { EXIT, safeText, type Style } from '../output.js'
import { cloudParams, runAction, withCloudFlags, type CloudFlags } from '../session.js'

const MARK: Record<Finding['verdict'], { readonly text: string; readonly style: Style }> = {
  ok: { text: 'ok     ', style: 'green' },
  note: { text: 'note   ', style: 'yellow' },
  problem: { text: 'PROBLEM', style: 'red' },
}

/** `peernet doctor`: why is my cloud alone? */
export function addDoctorCommand(program: Command): void {
  const doctor = withCloudFlags(
    program.command('doctor').description('find out why a cloud is alone or cannot be opened'),
  )
  doctor.action((flags: CloudFlags) =>
    runAction(doctor, async (output, signal) => {
      const options = new Params(cloudParams(flags)).cloudOptions()
      let problems = 0
      for await (const finding of examine(openCloud, { ...options, signal })) {
        if (signal.aborted) break
        output.value({ ...finding })
        const mark = MARK[finding.verdict]
        output.line(
          `${output.paint(mark.style, mark.text)} ${finding.check}: ${safeText(finding.seen)}`,
        )
        if (finding.remedy !== undefined) output.line(`        → ${finding.remedy}`)
        if (finding.verdict === 'problem') problems++
      }
      output.line()
      output.line(problems === 0 ? 'No problem found.' : `${problems} problem(s) found.`)
      if (problems > 0) process.exitCode = EXIT.failed
    }),
  )
}
