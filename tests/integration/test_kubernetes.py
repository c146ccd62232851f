# SPDX-License-Identifier: MIT
"""Every manifest and every form of the chart is what Kubernetes takes, and what AMPS needs."""

import copy
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml
from amps import BINARY, Amps, wait_until
from kubernetes import CHART, FOLDER, StrictLoader, Tools, load, validate
from kubernetes_rules import Variant, find_breaches

TREE = pathlib.Path(__file__).parents[2]
MANUAL = TREE / 'docs/kubernetes.md'

NEEDED = {'queue': 'orders', 'workload': {'image': 'registry.example.com/orders:1'}}

# What of the chart can be switched on, off or over.
CHARTS = {
    'least': {},
    'ordinary': {'sidecar': 'ordinary'},
    'keda': {'keda': {'enabled': True}, 'podMonitor': {'enabled': True}},
    'autoscaling': {'sidecar': 'ordinary', 'autoscaling': {'enabled': True}, 'podMonitor': {
        'enabled': True, 'interval': '1m', 'labels': {'release': 'prometheus'}}},
    'bare': {'podDisruptionBudget': {'enabled': False}, 'networkPolicy': {'enabled': False}},
    'all': {
        'maxConcurrency': 7, 'maxInFlightMebibytes': 128, 'jobTimeoutSeconds': 3600,
        'replicas': 5, 'priorityClassName': 'batch', 'imagePullSecrets': [{'name': 'registry'}],
        'settings': {'MAX_ATTEMPTS': '3', 'WORKLOAD_MODE': 'sync'},
        'image': {'repository': 'registry.example.com/amps', 'digest': 'sha256:' + 64 * '0'},
        'broker': {'secret': 'rabbitmq-user', 'uriKey': 'connection_string'},
        'apiToken': {'secret': 'api', 'key': 'password'},
        'resources': {'requests': {'cpu': '1', 'memory': '192Mi'}, 'limits': {'memory': '192Mi'}},
        'workload': {
            'image': 'orders', 'port': 8080, 'command': ['serve'], 'args': ['-v'],
            'env': [{'name': 'A', 'value': 'b'}], 'envFrom': [{'secretRef': {'name': 'c'}}],
            'volumeMounts': [{'name': 'scratch', 'mountPath': '/scratch'}],
            'lifecycle': {'preStop': {'sleep': {'seconds': 5}}},
            'startupProbe': {'tcpSocket': {'port': 'workload'}},
            'readinessProbe': {'httpGet': {'path': '/', 'port': 'workload'}},
            'livenessProbe': {'httpGet': {'path': '/', 'port': 'workload'}}},
        'volumes': [{'name': 'scratch', 'emptyDir': {}}, {'name': 'ca', 'configMap': {
            'name': 'authorities'}}],
        'volumeMounts': [{'name': 'ca', 'mountPath': '/etc/ssl/broker', 'readOnly': True}],
        'podLabels': {'team': 'shop'}, 'podAnnotations': {'note': 'x'},
        'nodeSelector': {'kubernetes.io/arch': 'amd64'},
        'tolerations': [{'key': 'batch', 'operator': 'Exists'}],
        'affinity': {'podAntiAffinity': {}},
        'topologySpreadConstraints': [{'maxSkew': 1, 'topologyKey': 'zone',
                                       'whenUnsatisfiable': 'DoNotSchedule'}],
        'networkPolicy': {'ingress': [{'ports': [{'port': 'workload'}]}],
                          'egress': [{'ports': [{'port': 5672}]}]},
        'podDisruptionBudget': {'maxUnavailable': '50%'},
    },
}

# Values that the chart refuses, and a word of why.
REFUSED = {
    'no queue': ({'queue': ''}, 'which queue'),
    'no image': ({'workload': {'image': ''}}, 'which image'),
    'two scalers': ({'keda': {'enabled': True}, 'autoscaling': {'enabled': True}}, 'one of them'),
    'a misspelt value': ({'replicaCount': 2}, 'replicaCount'),
    'a form that is none': ({'sidecar': 'yes'}, 'sidecar'),
    'a secret as a setting': ({'settings': {'API_TOKEN': 'x'}}, 'API_TOKEN'),
    'a setting with a value of its own': ({'settings': {'JOB_TIMEOUT': '1h'}}, 'JOB_TIMEOUT'),
    'a setting that is no text': ({'settings': {'DEBUG': True}}, 'DEBUG'),
    'everybody let in': ({'networkPolicy': {'from': []}}, 'from'),
}


def merge(into, values):
    """Values over others, as helm does it."""
    return {**into, **{name: merge(into[name], value) if isinstance(into.get(name), dict)
                       and isinstance(value, dict) else value for name, value in values.items()}}


def setUpModule():  # pylint: disable=invalid-name
    """Unpacks the tools once."""
    Kubernetes.tools = Manual.tools = Faults.tools = Tools()
    unittest.addModuleCleanup(Kubernetes.tools.close)


class Kubernetes(unittest.TestCase):
    """Rendered once for all tests."""

    @classmethod
    def setUpClass(cls):
        cls.manifests = {str(folder.relative_to(FOLDER)): cls.tools.kustomize(folder)
                         for folder in [FOLDER / 'base', *sorted((FOLDER / 'overlays').iterdir())]}
        cls.charts = {f'chart {name}': cls.tools.template(merge(NEEDED, values))
                      for name, values in CHARTS.items()}
        cls.variants = cls.manifests | cls.charts

    def test_schemas(self):
        self.assertGreater(len(self.manifests), 3)
        for name, objects in self.variants.items():
            self.assertTrue(objects, name)
        self.assertEqual(sum(validate(sum(self.variants.values(), [])), []), [])

    def test_rules(self):
        for name, objects in self.variants.items():
            with self.subTest(name):
                self.assertEqual(find_breaches(objects), [])

    def test_settings(self):
        """AMPS takes them, and warns of none."""
        with tempfile.TemporaryDirectory(prefix='amps-kubernetes-') as folder:
            secret = pathlib.Path(folder, 'secret')
            secret.write_text('amqp://user:password@rabbitmq\n', encoding='utf-8')
            for name, objects in self.variants.items():
                settings = {variable: str(secret) if variable.endswith('_FILE') else value
                            for variable, value in Variant(objects).settings.items()}
                ended = subprocess.run([BINARY, '--check-config'], env=settings, cwd=folder,
                                       text=True, capture_output=True, timeout=30, check=False)
                self.assertEqual((ended.returncode, ended.stderr), (0, ''), name)

    def test_images(self):
        """Of the base they are names to be replaced, and whoever copies the rest replaces them."""
        for name, objects in self.manifests.items():
            variant = Variant(objects)
            images = [variant.amps['image'], variant.workload['image']]
            if name in ('base', 'overlays/ordinary', 'overlays/hpa'):
                self.assertEqual(images, ['amps', 'workload'], name)
            elif name == 'overlays/production':
                self.assertNotIn('amps', images)
                self.assertNotIn('workload', images)

    def test_all_components_are_used(self):
        used = ''.join(path.read_text(encoding='utf-8')
                       for path in FOLDER.glob('overlays/*/kustomization.yaml'))
        for component in (FOLDER / 'components').iterdir():
            self.assertIn(f'components/{component.name}\n', used)

    def test_settings_make_new_pods(self):
        """A Deployment does not notice that a ConfigMap has changed."""
        def deployments(values):
            return [found for found in self.tools.template(merge(NEEDED, values))
                    if found['kind'] == 'Deployment']
        self.assertNotEqual(deployments({'settings': {'DEBUG': 'true'}}), deployments({}))

    def test_lint(self):
        self.tools.must_run('helm', 'lint', '--strict', str(CHART), '--values', '-',
                            stdin=json.dumps(NEEDED))

    def test_refused_values(self):
        for name, (values, why) in REFUSED.items():
            with self.subTest(name):
                status, text = self.tools.run('helm', 'template', str(CHART), '--values', '-',
                                              stdin=json.dumps(merge(NEEDED, values)))
                self.assertNotEqual(status, 0)
                self.assertIn(why, text)

    def test_old_cluster(self):
        """Without native sidecars AMPS would be waited for, as for any init container."""
        command = ['helm', 'template', str(CHART), '--kube-version', '1.28.15', '--values', '-']
        status, text = self.tools.run(*command, stdin=json.dumps(NEEDED))
        self.assertNotEqual(status, 0)
        self.assertIn('no native sidecars', text)
        self.tools.must_run(*command, stdin=json.dumps(merge(NEEDED, CHARTS['ordinary'])))

    def test_notes(self):
        text = self.tools.must_run(
            'helm', 'install', '--dry-run=client', 'orders', str(CHART), '--namespace', 'shop',
            '--values', '-', stdin=json.dumps(merge(NEEDED, CHARTS['keda'])))
        notes = text[text.index('NOTES:'):]
        for expected in ('-n shop create secret generic amps-broker', 'management-uri=',
                         'deployment/orders 4000'):
            self.assertIn(expected, notes)

    def test_rule_of_the_adapter(self):
        """Prometheus understands it, and it says how many slots are taken."""
        if shutil.which('promtool') is None:
            self.skipTest('needs promtool')
        rules = yaml.safe_load((FOLDER / 'prometheus-adapter.yaml').read_text(encoding='utf-8'))
        query = rules[0]['metricsQuery'].replace('<<.LabelMatchers>>', 'pod=~"a|b"').replace(
            '<<.GroupBy>>', 'pod')
        series = [{'series': f'{name}{{pod="{pod}"}}', 'values': str(value)}
                  for pod, taken in (('a', 14), ('b', 20), ('c', 1))
                  for name, value in (('amps_jobs_in_flight', taken),
                                      ('amps_concurrency_limit', 20))]
        test = {'tests': [{'input_series': series, 'promql_expr_test': [{
            'expr': query, 'eval_time': '0',
            'exp_samples': [{'labels': '{pod="a"}', 'value': 0.7},
                            {'labels': '{pod="b"}', 'value': 1}]}]}]}
        with tempfile.NamedTemporaryFile('w', suffix='.yaml') as file:
            yaml.safe_dump(test, file)
            file.flush()
            ended = subprocess.run(['promtool', 'test', 'rules', file.name], text=True,
                                   capture_output=True, timeout=30, check=False)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)


class Manual(unittest.TestCase):
    """The commands in docs/kubernetes.md, as they stand there."""

    def block(self, holding):
        """The block of commands that holds a text."""
        found = [block for block in re.findall(r'```sh\n(.*?)```', MANUAL.read_text('utf-8'), re.DOTALL)
                 if holding in block]
        self.assertEqual(len(found), 1)
        return found[0]

    def made(self):
        """The keys of the Secrets and ConfigMaps that the manual makes."""
        block = self.block('create secret').replace('\\\n', ' ')
        commands = [line for line in block.splitlines() if re.search('create (secret|configmap)', line)]
        script = '\n'.join(['set -eu', 'password=x', 'kubectl () { "$KUBECTL" "$@" -o json '
                            '--dry-run=client; }', *commands])
        text = subprocess.run(
            ['sh', '-c', script], check=True, text=True, stdout=subprocess.PIPE, cwd=TREE, timeout=60,
            env={**os.environ, 'KUBECTL': self.tools.path('kubectl')}).stdout
        return {(found['kind'], found['metadata']['name']): set(found['data'])
                for found in map(json.loads, text.replace('}\n{', '}\0{').split('\0'))}

    def test_what_the_trial_needs_is_made(self):
        made = self.made()
        objects = self.tools.kustomize(FOLDER / 'overlays/trial')
        pod = Variant(objects).pod
        for volume in pod['volumes']:
            kind, name = (('Secret', volume['secret']['secretName']) if 'secret' in volume
                          else ('ConfigMap', volume['configMap']['name']))
            self.assertIn((kind, name), made)
        files = [volume['mountPath'] + '/' + key for container in Variant.containers_of(
            Variant(objects).deployment) for volume in container['volumeMounts']
            for key in set().union(*made.values())]
        self.assertIn(Variant(objects).settings['BROKER_HOST_FILE'], files)
        self.assertIn(Variant(objects).workload['command'][-1], files)
        rabbitmq = next(found for found in objects if found['kind'] == 'Deployment'
                        and found['metadata']['name'] == 'rabbitmq')
        reference = rabbitmq['spec']['template']['spec']['containers'][0]['env'][1]['valueFrom']
        self.assertIn(reference['secretKeyRef']['key'],
                      made['Secret', reference['secretKeyRef']['name']])
        for found in load((FOLDER / 'components/keda/trigger-authentication.yaml').read_text('utf-8')):
            reference = found['spec']['secretTargetRef'][0]
            self.assertIn(reference['key'], made['Secret', reference['name']])

    def test_three_lines_of_the_readme(self):
        """They make a Secret and a worker that reads it."""
        block = re.search(r'```sh\n( *kubectl create secret.*?)```',
                          (TREE / 'README.md').read_text('utf-8'), re.DOTALL)[1].rstrip()
        self.assertEqual(len(block.splitlines()), 3)
        text = subprocess.run(
            ['sh', '-euc', 'kubectl () { "$KUBECTL" "$@" -o json --dry-run=client; }\n'
             'helm () { test "$1" = install; shift; "$HELM" template "$@"; }\n' + block],
            check=True, text=True, stdout=subprocess.PIPE, cwd=TREE, timeout=60,
            env={**os.environ, 'KUBECTL': self.tools.path('kubectl'),
                 'HELM': self.tools.path('helm')}).stdout
        secret, *objects = load(text)
        worker = Variant(objects)
        self.assertEqual(worker.settings['BROKER_SUBJECT'], 'orders')
        self.assertEqual(worker.workload['image'], 'registry.example.com/orders:1')
        self.assertIn('registry.example.com/amps:', worker.amps['image'])
        volume = next(volume['secret'] for volume in worker.pod['volumes'] if 'secret' in volume)
        self.assertEqual(volume['secretName'], secret['metadata']['name'])
        self.assertTrue(worker.settings['BROKER_HOST_FILE'].endswith('/' + list(secret['data'])[0]))

    def test_many_jobs(self):
        command = self.block('seq ').split('kubectl')[0].replace('-d ', '')
        with tempfile.TemporaryDirectory(prefix='amps-kubernetes-') as folder, \
                Amps(f'sqlite://{folder}/queue.db', 'orders').wait_listening() as amps:
            wait_until(lambda: amps.get('/health').json['connected'], what='an open file')
            answer = subprocess.run(
                ['sh', '-c', command.replace('localhost:4000', f'-sSw %{{http_code}} localhost:{amps.port}')],
                check=True, text=True, capture_output=True, timeout=60,
                env={**os.environ, 'no_proxy': 'localhost'})
            self.assertEqual((answer.stdout, answer.stderr), ('202', ''))
            self.assertEqual(amps.metric('amps_workloads_published_total'), 3000)


class Faults(unittest.TestCase):
    """What is broken on purpose is found."""

    @classmethod
    def setUpClass(cls):
        cls.objects = {form: cls.tools.template(merge(NEEDED, {'keda': {'enabled': True}, 'podMonitor': {
            'enabled': True}, 'sidecar': form})) for form in ('native', 'ordinary')}

    def broken(self, change, form='native'):
        """The objects after a change of the variant."""
        variant = Variant(copy.deepcopy(self.objects[form]))
        change(variant)
        return variant.objects

    def test_schemas(self):
        def of(kind, change):
            return lambda variant: change(variant.of(kind)[0]['spec'])
        changes = (
            (lambda variant: variant.amps.update(livenessprobe={}), 'livenessprobe is unknown'),
            (lambda variant: variant.amps['readinessProbe']['httpGet'].update(pfad='/'),
             'httpGet/pfad is unknown'),
            (lambda variant: variant.pod.update(terminationGracePeriodSeconds='150'),
             'must be integer'),
            (lambda variant: variant.amps.pop('name'), 'required property name'),
            (lambda variant: variant.deployment.update(apiVersion='apps/v2'), 'there is no kind'),
            (lambda variant: variant.deployment.update(speck={}), '/speck is unknown'),
            (of('ScaledObject', lambda spec: spec.update(minReplicas=0)), '/minReplicas is unknown'),
            (of('PodMonitor', lambda spec: spec.pop('selector')), 'required property selector'),
            (of('NetworkPolicy', lambda spec: spec.update(ingres=[])), '/ingres is unknown'))
        broken = [self.broken(change) for change, _ in changes]
        faults = validate(sum(broken, []))
        for objects, (_, expected) in zip(broken, changes):
            found = sum((faults.pop(0) for _ in objects), [])
            self.assertEqual(len(found), 1, expected)
            self.assertIn(expected, found[0])

    def test_members_that_are_there_twice(self):
        self.assertEqual(load('a: 1\nb: 2\n'), [{'a': 1, 'b': 2}])
        with self.assertRaisesRegex(yaml.YAMLError, 'twice: a'):
            yaml.load('a: 1\na: 2\n', StrictLoader)

    def test_rules(self):
        trigger = 'triggers', 0, 'metadata'

        def put(kind, *path_and_value):
            *path, name, value = path_and_value

            def change(variant):
                place = variant.of(kind)[0]['spec']
                for step in path:
                    place = place[step]
                place[name] = value
            return change

        for form, change, breach in (
                ('native', lambda found: found.amps.pop('livenessProbe'), 'liveness probe'),
                ('native', lambda found: found.amps['startupProbe']['httpGet'].update(
                    path='/readyz'), 'startup probe'),
                ('native', lambda found: found.pod.update(terminationGracePeriodSeconds=30),
                 '30 s are not enough'),
                ('native', lambda found: found.amps.pop('lifecycle'), 'must drain'),
                ('native', lambda found: found.amps.pop('restartPolicy'), 'restartPolicy'),
                ('ordinary', lambda found: found.pod.update(terminationGracePeriodSeconds=125),
                 'not enough for the hook'),
                ('ordinary', lambda found: found.amps['lifecycle']['preStop']['exec'][
                    'command'].pop(), 'must wait'),
                ('native', lambda found: found.pod.pop('securityContext'), 'not root'),
                ('native', lambda found: found.workload['securityContext'].update(
                    readOnlyRootFilesystem=False), 'workload must be confined'),
                ('native', lambda found: found.amps['env'].append(
                    {'name': 'API_TOKEN', 'value': 'x'}), 'API_TOKEN must be read from a file'),
                ('native', lambda found: found.workload.update(
                    args=['amqp://a:b@c']), 'URI with a password'),
                ('native', lambda found: found.objects.append(
                    {'kind': 'Secret', 'metadata': {'name': 's'}}), 'Secret s'),
                ('native', lambda found: found.amps['resources']['limits'].update(
                    memory='64Mi'), '128Mi of memory'),
                ('native', put('PodDisruptionBudget', 'selector', {}), 'PodDisruptionBudget must'),
                ('native', put('NetworkPolicy', 'podSelector', {}), 'NetworkPolicy must'),
                ('native', put('ScaledObject', *trigger, 'protocol', 'amqp'), 'by HTTP only'),
                ('native', put('ScaledObject', *trigger, 'queueName', 'x'), 'this queue'),
                ('native', put('Deployment', 'replicas', 1), 'how many pods'),
                ('native', put('PodMonitor', 'podMetricsEndpoints', [{'port': 'x'}]), 'PodMonitor'),
                ('native', put('NetworkPolicy', 'ingress', [{'ports': [{'port': 9090}]}]),
                 'somebody'),
                ('native', put('PodDisruptionBudget', 'unhealthyPodEvictionPolicy', 'IfHealthyBudget'),
                 'being drained'),
                ('native', put('ScaledObject', *trigger, 'value', '5'), 'slots'),
        ):
            breaches = find_breaches(self.broken(change, form))
            self.assertIn(breach, ' '.join(breaches))


if __name__ == '__main__':
    unittest.main()
